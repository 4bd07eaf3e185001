/// An event of a trace with what an analysis needs to know of its past.
struct ObservedEvent {
    /// From 0.
    let index: Int
    let event: TraceEvent
    /// Nanoseconds from the first event; nil where the trace has no times.
    let time: Int64?
    /// The number of the size in the ``SizeTable``; nil where it has no room.
    let size: Int?
    /// Of a free, its allocation.
    let allocation: Allocation?

    struct Allocation {
        let index: Int
        let thread: UInt16
        let time: Int64?
    }
}

/// Numbers the sizes of a trace in order of appearance, up to a bound.
struct SizeTable {
    /// Real programs have some thousands: 65,536 sizes are told apart.
    static let maximumSizes = 1 << 16

    private let maximumSizes: Int
    private var numbers: [Int: Int] = [:]
    private(set) var sizes: [Int] = []

    init(maximumSizes: Int = Self.maximumSizes) { self.maximumSizes = maximumSizes }

    /// The size's number, given now where it has none; nil where the table is full.
    mutating func number(of byteCount: Int) -> Int? {
        if let number = numbers[byteCount] { return number }
        guard sizes.count < maximumSizes else { return nil }
        numbers[byteCount] = sizes.count
        sizes.append(byteCount)
        return sizes.count - 1
    }
}

/// Remembers each live block's allocation. Memory: 8 bytes for each block alive at the peak.
struct LiveAllocations {
    private var indices: [UInt32]
    private var threads: [UInt16]

    init(slotCount: Int) {
        indices = [UInt32](repeating: 0, count: slotCount)
        threads = [UInt16](repeating: 0, count: slotCount)
    }

    mutating func note(_ event: TraceEvent, at index: Int) {
        indices[Int(event.slot)] = UInt32(truncatingIfNeeded: index)
        threads[Int(event.slot)] = event.thread
    }

    /// The index of the event that allocated the block of a slot, and its thread.
    func allocation(ofSlot slot: UInt32) -> (index: Int, thread: UInt16) {
        (Int(indices[Int(slot)]), threads[Int(slot)])
    }
}
