/// A growing stack of addresses, in memory apart from what they point to.
@safe struct AddressStack: ~Copyable {
    private var entries: UnsafeMutablePointer<UnsafeMutableRawPointer>?
    private var capacity = 0
    private(set) var count = 0

    init() { unsafe entries = nil }

    deinit { unsafe entries?.deallocate() }

    mutating func push(_ address: UnsafeMutableRawPointer) {
        let place = unsafe room(for: 1)
        unsafe place.initialize(to: address)
        count += 1
    }

    mutating func push(_ source: UnsafePointer<UnsafeMutableRawPointer>, _ added: Int) {
        let place = unsafe room(for: added)
        unsafe place.initialize(from: source, count: added)
        count += added
    }

    /// Puts addresses below all others.
    mutating func insertBelow(_ source: UnsafePointer<UnsafeMutableRawPointer>, _ added: Int) {
        unsafe _ = room(for: added)
        guard let entries = unsafe entries else { return }
        unsafe (entries + added).update(from: entries, count: count)
        unsafe entries.update(from: source, count: added)
        count += added
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

    private mutating func room(for added: Int) -> UnsafeMutablePointer<UnsafeMutableRawPointer> {
        if let entries = unsafe entries, count + added <= capacity { return unsafe entries + count }
        let larger = max(64, 2 * capacity, count + added)
        let moved = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: larger)
        if let entries = unsafe entries {
            unsafe moved.initialize(from: entries, count: count)
            unsafe entries.deallocate()
        }
        unsafe entries = moved
        capacity = larger
        return unsafe moved + count
    }
}
