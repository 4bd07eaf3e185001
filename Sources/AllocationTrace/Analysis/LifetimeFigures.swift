/// How long blocks live, and how many are temporary.
public struct LifetimeFigures: Sendable, Equatable, Codable {
    /// A temporary is freed by the thread that allocated it, at most this many events later.
    public static let temporaryEvents = 32

    /// From allocation to free, in events; nil where nothing was freed.
    public let events: Distribution?
    /// From allocation to free, in nanoseconds; nil where the trace has no times.
    public let nanoseconds: Distribution?
    /// Allocations that turned out temporary.
    public let temporaries: Int
    /// Their share of all allocations, 0 to 1.
    public let temporaryShare: Double
    /// Their share of all bytes asked for, 0 to 1.
    public let temporaryByteShare: Double
    /// Blocks that live at the end of the trace.
    public let neverFreed: Int
}

struct LifetimeCollector {
    private var events = DistributionCollector()
    private var nanoseconds = DistributionCollector()
    private var temporaries = 0
    private var temporaryBytes = 0.0

    mutating func observe(_ observed: ObservedEvent) {
        guard let allocation = observed.allocation else { return }
        let lifetime = observed.index - allocation.index
        events.record(UInt64(lifetime))
        if lifetime <= LifetimeFigures.temporaryEvents && allocation.thread == observed.event.thread {
            temporaries += 1
            temporaryBytes += Double(observed.event.byteCount)
        }
        guard let freed = observed.time, let allocated = allocation.time else { return }
        nanoseconds.record(UInt64(max(0, freed - allocated)))
    }

    func figures(_ summary: TraceSummary) -> LifetimeFigures {
        func share(_ part: Double, of whole: Int) -> Double { whole > 0 ? min(1, part / Double(whole)) : 0 }
        return LifetimeFigures(
            events: events.distribution, nanoseconds: nanoseconds.distribution, temporaries: temporaries,
            temporaryShare: share(Double(temporaries), of: summary.allocationCount),
            temporaryByteShare: share(temporaryBytes, of: summary.allocatedBytes),
            neverFreed: summary.liveAtEndBlocks)
    }
}
