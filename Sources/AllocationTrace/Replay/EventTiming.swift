#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What is done about time around each event, as a type, so that the loop is specialised for each.
@usableFromInline protocol EventTiming {
    init(_ lane: LaneTiming)
    /// Comes back when the event is due. False where the round has been abandoned.
    mutating func reach(_ index: Int) -> Bool
    /// The event begins.
    mutating func begin()
    mutating func endAllocation()
    mutating func endFree()
}

/// What a lane's timing is made of.
@usableFromInline struct LaneTiming {
    var recorder: LatencyRecorder?
    var pace: EventPace?
    var bound: EventBound?
}

/// No clock, no pace.
@usableFromInline struct UntimedEvents: EventTiming {
    @inlinable init(_ lane: LaneTiming) {}
    @inlinable mutating func reach(_ index: Int) -> Bool { true }
    @inlinable mutating func begin() {}
    @inlinable mutating func endAllocation() {}
    @inlinable mutating func endFree() {}
}

/// Reads the clock before and after each event; waits for its time where there is a pace.
@usableFromInline struct ClockedEvents: EventTiming {
    @usableFromInline let recorder: LatencyRecorder
    @usableFromInline let pace: EventPace?
    @usableFromInline var start: UInt64 = 0

    @usableFromInline init(_ lane: LaneTiming) {
        recorder = lane.recorder ?? LatencyRecorder(clockNanoseconds: 0)
        pace = lane.pace
    }

    @inlinable mutating func reach(_ index: Int) -> Bool {
        guard let pace else { return true }
        return pace.reach(index, recorder)
    }

    @inlinable mutating func begin() { start = ReplayClock.nanoseconds }
    @inlinable mutating func endAllocation() { recorder.recordAllocation(ReplayClock.nanoseconds &- start) }
    @inlinable mutating func endFree() { recorder.recordFree(ReplayClock.nanoseconds &- start) }
}

/// Stops where the lane's time is over, and reads no clock around events.
@usableFromInline struct BoundedEvents: EventTiming {
    @usableFromInline let bound: EventBound?

    @usableFromInline init(_ lane: LaneTiming) { bound = lane.bound }

    @inlinable mutating func reach(_ index: Int) -> Bool { bound?.reach(index) ?? true }
    @inlinable mutating func begin() {}
    @inlinable mutating func endAllocation() {}
    @inlinable mutating func endFree() {}
}

/// How far a lane goes on.
@usableFromInline final class EventBound {
    /// The clock is read once in so many events.
    private static let stride = 16

    private let limit: WarmUpLimit
    private let handOvers: HandOvers
    /// When the lane began, by its own clock.
    private var start: UInt64?

    init(limit: WarmUpLimit, handOvers: HandOvers) {
        self.limit = limit
        self.handOvers = handOvers
    }

    @usableFromInline func reach(_ index: Int) -> Bool {
        guard index >= limit.eventCount || isLate(at: index) else { return true }
        // What other lanes wait for will not come.
        handOvers.abandon()
        return false
    }

    private func isLate(at index: Int) -> Bool {
        guard index % Self.stride == 0 else { return false }
        let now = ReplayClock.threadProcessorNanoseconds
        let begun = start ?? now
        start = begun
        return now - begun >= UInt64(max(0, limit.processorNanoseconds))
    }
}

/// When the events of a lane are due.
@usableFromInline final class EventPace {
    /// Sleeps end late by about this: what is left is waited for awake, letting others run.
    private static let wakefulNanoseconds: UInt64 = 80_000

    private let times: [Int64]
    private let speed: Double
    /// When the round began, by the clock.
    private let origin: UInt64
    private let handOvers: HandOvers

    /// - Precondition: the last time over the speed is at most ``ReplayMode/maximumRoundSeconds``.
    init(times: [Int64], speed: Double, origin: UInt64, handOvers: HandOvers) {
        self.times = times
        self.speed = speed
        self.origin = origin
        self.handOvers = handOvers
    }

    @usableFromInline func reach(_ index: Int, _ recorder: LatencyRecorder) -> Bool {
        let due = origin + UInt64(Double(times[index]) / speed)
        var now = ReplayClock.nanoseconds
        while now < due {
            if due - now > Self.wakefulNanoseconds {
                ReplayClock.sleep(until: due - Self.wakefulNanoseconds)
                if handOvers.isAbandoned { return false }
            } else {
                sched_yield()
            }
            now = ReplayClock.nanoseconds
        }
        recorder.recordLateness(now - due)
        return true
    }
}
