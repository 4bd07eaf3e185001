/// A recorded history of allocations, ready to be replayed.
///
/// Only ``AllocationTraceBuilder`` makes one, so every trace is a legal history: an allocation's slot is empty, a
/// free's slot holds a live block. Replay relies on that and checks nothing.
///
/// Thread-safety: immutable, may be shared. Cost: 16 bytes an event.
public struct AllocationTrace: Sendable {
    /// In recorded order.
    public let events: [TraceEvent]
    /// The frees that would release what is still live after the last event, in slot order.
    public let releases: [TraceEvent]
    /// How many block slots a replay needs: the most blocks alive at one time.
    public let slotCount: Int
    /// Counts and peaks.
    public let summary: TraceSummary
    /// What the recording left unclear.
    public let irregularities: TraceIrregularities

    init(
        events: [TraceEvent], releases: [TraceEvent], slotCount: Int, summary: TraceSummary,
        irregularities: TraceIrregularities
    ) {
        self.events = events
        self.releases = releases
        self.slotCount = slotCount
        self.summary = summary
        self.irregularities = irregularities
    }
}
