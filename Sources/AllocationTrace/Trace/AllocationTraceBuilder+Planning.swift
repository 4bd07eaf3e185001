extension AllocationTraceBuilder {
    /// Records the allocations and frees of a planning problem, in the order of their moments. It has neither times in
    /// a known unit nor addresses.
    mutating func append(_ problem: PlanningProblem) throws(LimitExceeded) {
        var moments: [(time: Int, isAllocation: Bool, item: Int)] = []
        moments.reserveCapacity(2 * problem.items.count)
        for index in problem.items.indices {
            moments.append((problem.items[index].lower, true, index))
            moments.append((problem.items[index].upper, false, index))
        }
        // Lifetimes are half-open: at one moment frees come first.
        moments.sort { ($0.time, $0.isAllocation ? 1 : 0, $0.item) < ($1.time, $1.isAllocation ? 1 : 0, $1.item) }
        for moment in moments {
            let address = UInt64(moment.item) + 1
            let byteCount = problem.items[moment.item].byteCount
            if moment.isAllocation {
                try allocate(address: address, byteCount: byteCount, thread: 0)
            } else {
                try free(address: address, byteCount: byteCount, thread: 0)
            }
        }
    }
}
