internal import Synchronization

/// How far a lane came in a round, and what it took.
@usableFromInline struct LaneOutcome: Sendable {
    /// By ``ReplayClock/nanoseconds``.
    let start: UInt64
    private(set) var end: UInt64
    private(set) var processorNanoseconds: UInt64
    /// A free that failed has given its block up, and counts.
    private(set) var eventsDone = 0
    private(set) var failure: Failure?

    struct Failure: Sendable {
        /// Counted in the lane.
        let event: Int
        let reason: String
    }

    /// Starts. The clock is read last.
    @usableFromInline init() {
        processorNanoseconds = ReplayClock.threadProcessorNanoseconds
        start = ReplayClock.nanoseconds
        end = start
    }

    @usableFromInline func stopped(after events: Int) -> LaneOutcome {
        var outcome = self
        outcome.end = ReplayClock.nanoseconds
        outcome.processorNanoseconds = ReplayClock.threadProcessorNanoseconds - processorNanoseconds
        outcome.eventsDone = events
        return outcome
    }

    @usableFromInline func failed(at event: Int, eventsDone: Int, with reason: String) -> LaneOutcome {
        var outcome = stopped(after: eventsDone)
        outcome.failure = Failure(event: event, reason: reason)
        return outcome
    }
}

/// The outcomes of lanes that run at the same time.
@usableFromInline final class LaneOutcomes: Sendable {
    private let found: Mutex<[LaneOutcome?]>

    @usableFromInline init(count: Int) {
        found = Mutex([LaneOutcome?](repeating: nil, count: count))
    }

    /// Once for each lane, when it has ended.
    @usableFromInline func set(_ lane: Int, to outcome: LaneOutcome) {
        found.withLock { $0[lane] = outcome }
    }

    /// - Precondition: every lane has ended.
    @usableFromInline var all: [LaneOutcome] { found.withLock { $0.map { $0! } } }
}
