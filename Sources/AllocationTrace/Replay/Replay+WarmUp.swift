/// How far a warm-up goes.
public struct WarmUpLimit: Codable, Hashable, Sendable {
    /// What each thread may have of a processor.
    public var processorNanoseconds: Int
    /// How many of its events each thread may carry out.
    public var eventCount: Int

    /// A limit.
    public init(processorNanoseconds: Int, eventCount: Int = .max) {
        self.processorNanoseconds = processorNanoseconds
        self.eventCount = eventCount
    }
}

/// How far a warm-up came, and what it took.
public struct ReplayWarmUp: Codable, Equatable, Sendable {
    /// Events that were carried out.
    public let eventCount: Int
    /// From before the first event to after the last, by the monotonic clock.
    public let nanoseconds: Int
    /// What the replaying threads had of the processors in that time.
    public let processorNanoseconds: Int

    /// A warm-up that was run.
    public init(eventCount: Int, nanoseconds: Int, processorNanoseconds: Int) {
        self.eventCount = eventCount
        self.nanoseconds = nanoseconds
        self.processorNanoseconds = processorNanoseconds
    }
}

extension Replay where Block: ~Copyable {
    /// Replays the trace from its beginning, once at most, until each thread has come to the limit, and then frees what is
    /// alive.
    ///
    /// For what is too slow to go through the whole trace once more before it is measured. Nothing is waited for at a
    /// recorded pace. Where the allocator fails, all that was allocated is given back before the error is thrown.
    @inlinable public mutating func warmUp(_ limit: WarmUpLimit) throws(ReplayError) -> ReplayWarmUp {
        try endWarmUp(runLanes(beginWarmUp(limit), timing: BoundedEvents.self))
    }

    @usableFromInline mutating func beginWarmUp(_ limit: WarmUpLimit) -> [LaneTiming] {
        handOvers.beginRound()
        return schedule.lanes.map { _ in LaneTiming(bound: EventBound(limit: limit, handOvers: handOvers)) }
    }
}
