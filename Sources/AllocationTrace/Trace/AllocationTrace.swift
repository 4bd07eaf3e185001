/// A recorded history of allocations, ready to be replayed.
///
/// Only ``AllocationTraceBuilder`` makes one, so every trace is a legal history: an allocation's slot is empty, a
/// free's slot holds a live block. Replay relies on that and checks nothing.
///
/// Thread-safety: immutable, may be shared. Cost: 16 bytes an event, and 8 for each kind of detail that was kept.
public struct AllocationTrace: Sendable, Equatable {
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
    /// The threads by the number that ``TraceEvent/thread`` gives.
    public let threads: [TraceThread]
    /// What ``times`` count from.
    public let clock: TraceClock
    /// Each event's time in nanoseconds, from 0 and never falling. Empty where the file has no times or none were kept.
    public let times: [Int64]
    /// Each event's recorded address. Empty where none were kept or the file has none.
    public let addresses: [UInt64]
    /// What the recorder called each event's tensor, 0 for none. A free has its allocation's. Empty where there are none.
    public let tensorIDs: [UInt64]

    /// What the recorded pool held, in order of time. Empty where the file has no samples, or no times were kept.
    public let samples: [PoolSample]

    /// From the first event to the last, in nanoseconds; nil where there are no times.
    public var durationNanoseconds: Int64? { times.last }
}
