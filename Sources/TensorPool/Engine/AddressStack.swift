internal import Jemalloc

/// A growing stack of addresses, in memory apart from what they point to. Where there is no memory to grow, it stays as it
/// is and says so.
@safe struct AddressStack: ~Copyable {
    private var entries: UnsafeMutablePointer<UnsafeMutableRawPointer>?
    private var capacity = 0
    private(set) var count = 0

    init() { unsafe entries = nil }

    /// Bytes of its own memory.
    var byteCount: Int { unsafe capacity * MemoryLayout<UnsafeMutableRawPointer>.stride }

    deinit { unsafe entries?.deallocate() }

    @discardableResult mutating func push(_ address: UnsafeMutableRawPointer) -> Bool {
        guard makeRoom(for: 1), let entries = unsafe entries else { return false }
        unsafe (entries + count).initialize(to: address)
        count += 1
        return true
    }

    @discardableResult
    mutating func push(_ source: UnsafePointer<UnsafeMutableRawPointer>, _ added: Int) -> Bool {
        guard makeRoom(for: added), let entries = unsafe entries else { return false }
        unsafe (entries + count).initialize(from: source, count: added)
        count += added
        return true
    }

    /// Puts addresses below all others.
    mutating func insertBelow(_ source: UnsafePointer<UnsafeMutableRawPointer>, _ added: Int) -> Bool {
        guard makeRoom(for: added), let entries = unsafe entries else { return false }
        unsafe (entries + added).update(from: entries, count: count)
        unsafe entries.update(from: source, count: added)
        count += added
        return true
    }

    subscript(place: Int) -> UnsafeMutableRawPointer {
        guard place >= 0 && place < count else { stopProgram("a stack of addresses has no place \(place)") }
        return unsafe entries.unsafelyUnwrapped[place]
    }

    mutating func pop() -> UnsafeMutableRawPointer? {
        guard count > 0, let entries = unsafe entries else { return nil }
        count -= 1
        return unsafe entries[count]
    }

    /// Moves up to `wanted` addresses from the top to `destination` and returns how many.
    mutating func pop(_ wanted: Int, into destination: UnsafeMutablePointer<UnsafeMutableRawPointer>) -> Int {
        let moved = min(wanted, count)
        guard moved > 0, let entries = unsafe entries else { return 0 }
        count -= moved
        unsafe destination.update(from: entries + count, count: moved)
        return moved
    }

    /// Makes sure that so many more can be pushed; false where there is no memory for them.
    mutating func makeRoom(for added: Int) -> Bool {
        if count + added <= capacity { return true }
        let larger = max(64, 2 * capacity, count + added)
        guard
            let memory = unsafe Backend.allocateBookkeeping(larger * MemoryLayout<UnsafeMutableRawPointer>.stride)
        else { return false }
        let moved = unsafe memory.bindMemory(to: UnsafeMutableRawPointer.self, capacity: larger)
        if let entries = unsafe entries {
            unsafe moved.initialize(from: entries, count: count)
            unsafe entries.deallocate()
        }
        unsafe entries = moved
        capacity = larger
        return true
    }
}
