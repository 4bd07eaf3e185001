/// Takes parts out of a trace that stand for the whole, to be replayed where the whole takes too long.
///
/// The trace is cut into windows. A sample has the events of some of them and, of all others, the allocation and the
/// free of each block that lives into one of them: so in the windows that are taken exactly that is alive which is alive
/// there in the whole. They are chosen so that the sample has, an event, as many bytes and allocations of each power of
/// two as the whole.
///
/// Thread-safety: immutable. Cost: two passes over the trace, and memory for some thousand groups of blocks.
public struct TraceSampler: Sendable {
    /// What is sampled.
    public let trace: AllocationTrace
    private let search: SampleSearch

    /// Looks at the trace.
    public init(_ trace: AllocationTrace) {
        self.trace = trace
        search = SampleSearch(TraceWindows(trace))
    }

    /// A sample, or the whole where that is not longer.
    ///
    /// Cost: some milliseconds to find it, and a hash table look-up an event to build it.
    /// - Parameters:
    ///   - eventCount: about how many events it has. At least one window is taken, with what it needs.
    ///   - seed: another one gives another sample of the same size.
    public func sample(eventCount: Int, seed: UInt64) throws(AllocationTraceBuilder.LimitExceeded) -> AllocationTrace {
        guard eventCount < trace.events.count else { return trace }
        let isKept = eventsNeeded(for: search.keep(eventCount: eventCount, seed: seed))
        var builder = AllocationTraceBuilder(maximumEvents: trace.events.count, details: [])
        for index in trace.events.indices where isKept[index] {
            let event = trace.events[index]
            // A slot tells live blocks apart, as an address does.
            let address = UInt64(event.slot) + 1
            switch event.kind {
            case .allocate:
                try builder.allocate(address: address, byteCount: event.byteCount, thread: UInt64(event.thread))
            case .free: try builder.free(address: address, byteCount: nil, thread: UInt64(event.thread))
            }
        }
        return builder.finish()
    }

    private func eventsNeeded(for kept: [Bool]) -> [Bool] {
        let boundaries = search.windows.boundaries
        var keptBefore = [0]
        for isKept in kept { keptBefore.append(keptBefore[keptBefore.count - 1] + (isKept ? 1 : 0)) }
        var isNeeded = [Bool](repeating: false, count: trace.events.count)
        // Of the block in each slot: where it was allocated, and how many windows were taken before that.
        var births = [(index: Int, keptBefore: Int)](repeating: (0, 0), count: trace.slotCount)
        var window = 0
        for index in trace.events.indices {
            while index >= boundaries[window + 1] { window += 1 }
            let slot = Int(trace.events[index].slot)
            if trace.events[index].kind == .allocate {
                births[slot] = (index, keptBefore[window])
            } else if keptBefore[window + 1] > births[slot].keptBefore {
                isNeeded[births[slot].index] = true
                isNeeded[index] = true
            }
        }
        for event in trace.releases where keptBefore[kept.count] > births[Int(event.slot)].keptBefore {
            isNeeded[births[Int(event.slot)].index] = true
        }
        return isNeeded
    }
}
