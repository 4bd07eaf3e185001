public import CThreadSlot
internal import Jemalloc
internal import Synchronization

/// All observers of the process by number, so that a buffer reaches its own by the bits that an engine's number leaves.
@usableFromInline enum ObserverRegistry {
    /// Bits of an engine's number.
    @inlinable static var engineBits: UInt32 { UInt32(tensorpool_engine_bits) }
    static var engineMask: UInt32 { 1 << engineBits - 1 }
    /// How many observers there can be at one time, and one more: 0 is none.
    static var capacity: Int { Int(tensorpool_observer_capacity) }

    private struct Contents {
        var freeNumbers: [UInt32] = []
        var used: UInt32 = 1
    }

    private static let contents = Lock(Contents())

    /// Makes the table, where no observer did so yet.
    static func makeTable() { _ = contents }

    /// A number for an observer that has none in `place`, stored there; nil where all are in use.
    static func enter(_ observer: BufferObserver, unlessIn place: borrowing Atomic<UInt32>) -> UInt32? {
        contents.withLock { contents in
            let known = place.load(ordering: .relaxed)
            if known != 0 { return known }
            let number: UInt32
            if let free = contents.freeNumbers.popLast() {
                number = free
            } else {
                guard contents.used < capacity else { return nil }
                number = contents.used
                contents.used += 1
            }
            // Read without the lock by who holds a buffer of that observer.
            unsafe tensorpool_enter_observer(number, Unmanaged.passUnretained(observer).toOpaque())
            place.store(number, ordering: .releasing)
            return number
        }
    }

    /// Gives a number back; 0 is none.
    static func leave(_ number: UInt32) {
        if number != 0 { contents.withLock { $0.freeNumbers.append(number) } }
    }

    /// Numbers that were ever in use at one time.
    static var usedCount: Int { contents.withLock { Int($0.used) - 1 } }

    /// The observer of a buffer that is out, or of a reference that is kept.
    static func observer(_ number: UInt32) -> Unmanaged<BufferObserver> {
        guard let observer = unsafe tensorpool_observer(number) else { stopProgram("a block of no observer") }
        return unsafe Unmanaged.fromOpaque(observer)
    }
}
