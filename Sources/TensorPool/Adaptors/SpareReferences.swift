public import CThreadSlot

/// References to an observer that a thread has to spare: buffers that end on it leave them, the next ones take them.
///
/// So a thread counts in a word of its own, where a reference counted up and down would be two atomic read-modify-writes
/// a buffer, and a line of memory that all threads of the observer fight for. References are alike: it does not matter
/// which buffer left one. A thread that has none gets a batch, and gives one back when it has two. It keeps those of one
/// observer, until a buffer of another one ends on it, or it exits; till then they keep the observer, and its number.
@usableFromInline enum SpareReferences {
    private static var batch: UInt32 { UInt32(tensorpool_spare_reference_batch) }

    /// Takes one of an observer, if the calling thread has one.
    @inlinable @inline(__always)
    static func take(_ number: UInt32) -> Bool { tensorpool_take_spare_reference(number) }

    /// How many references are to be counted for a buffer: with those that the calling thread now has to spare.
    static func begin(_ number: UInt32) -> Int {
        // Another observer's are left alone: this one's buffers may all end elsewhere.
        guard tensorpool_load_observer_slot().references == 0, EngineRegistry.noticesExit else { return 1 }
        tensorpool_store_observer_slot(tensorpool_observer_slot(number: number, references: batch - 1))
        return Int(batch)
    }

    /// Keeps one of an observer. False where nobody would hear of the thread's exit.
    @inline(__always)
    static func keep(_ number: UInt32) -> Bool {
        tensorpool_keep_spare_reference(number) || keepInPlaceOfOthers(number)
    }

    @inline(never)
    private static func keepInPlaceOfOthers(_ number: UInt32) -> Bool {
        let slot = tensorpool_load_observer_slot()
        if slot.number == number {
            tensorpool_store_observer_slot(
                tensorpool_observer_slot(number: number, references: slot.references - batch + 1))
            BufferObserver.release(number, count: Int(batch))
            return true
        }
        guard EngineRegistry.noticesExit else { return false }
        tensorpool_store_observer_slot(tensorpool_observer_slot(number: number, references: 1))
        giveBack(slot)
        return true
    }

    /// Gives back what the calling thread has.
    static func giveBack() {
        let slot = tensorpool_load_observer_slot()
        tensorpool_store_observer_slot(tensorpool_observer_slot(number: 0, references: 0))
        giveBack(slot)
    }

    private static func giveBack(_ slot: tensorpool_observer_slot) {
        // Without a reference, the number may be nobody's.
        if slot.references > 0 { BufferObserver.release(slot.number, count: Int(slot.references)) }
    }
}
