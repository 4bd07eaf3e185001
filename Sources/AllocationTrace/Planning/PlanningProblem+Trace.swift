extension PlanningProblem {
    /// The blocks of a trace, in order of allocation, with lifetimes in event numbers.
    ///
    /// What is not freed in the trace lives until after its last event. The id of an item is the number of its
    /// allocation, from 0.
    ///
    /// - Complexity: O(events).
    /// - Throws: ``PlanningProblemError/totalTooLarge(index:id:limit:)`` where all blocks together have more than 2^60
    ///   bytes.
    public init(_ trace: AllocationTrace) throws(PlanningProblemError) {
        var items: [(lower: Int, upper: Int, byteCount: Int)] = []
        items.reserveCapacity(trace.summary.allocationCount)
        var itemOfSlot = [Int](repeating: 0, count: trace.slotCount)
        for (index, event) in trace.events.enumerated() {
            switch event.kind {
            case .allocate:
                itemOfSlot[Int(event.slot)] = items.count
                items.append((index, trace.events.count, event.byteCount))
            case .free:
                items[itemOfSlot[Int(event.slot)]].upper = index
            }
        }
        try self.init(
            items: items.enumerated().map {
                Item(id: String($0), lower: $1.lower, upper: $1.upper, byteCount: $1.byteCount)
            })
    }
}
