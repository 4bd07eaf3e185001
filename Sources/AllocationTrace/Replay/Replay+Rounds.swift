internal import Synchronization

extension Replay where Block: ~Copyable {
    @inlinable mutating func run(isClocked: Bool) throws(ReplayError) -> ReplayRound {
        let timings = beginRound(isClocked: isClocked)
        let measurement = RoundMeasurement()
        let outcomes =
            isClocked
            ? runLanes(timings, timing: ClockedEvents.self) : runLanes(timings, timing: UntimedEvents.self)
        let usage = measurement.finish()
        return try endRound(outcomes, usage)
    }

    @inlinable func runLanes<Timing: EventTiming>(_ timings: [LaneTiming], timing: Timing.Type) -> [LaneOutcome] {
        switch touch {
        case .none: runLanes(timings, timing: Timing.self, touching: TouchNothing.self)
        case .page: runLanes(timings, timing: Timing.self, touching: TouchPages.self)
        case .full: runLanes(timings, timing: Timing.self, touching: TouchBytes.self)
        }
    }

    @inlinable func runLanes<Timing: EventTiming, Action: TouchAction>(
        _ timings: [LaneTiming], timing: Timing.Type, touching: Action.Type
    ) -> [LaneOutcome] {
        let work = unsafe LaneWork(schedule: schedule, slots: slots, handOvers: handOvers, source: source)
        guard let crew else {
            return [work.run(0, timings[0], timing: Timing.self, touching: Action.self)]
        }
        let outcomes = LaneOutcomes(count: schedule.lanes.count)
        crew.run { lane in
            outcomes.set(lane, to: work.run(lane, timings[lane], timing: Timing.self, touching: Action.self))
        }
        return outcomes.all
    }

    /// Makes ready what the lanes need.
    @usableFromInline mutating func beginRound(isClocked: Bool) -> [LaneTiming] {
        handOvers.beginRound()
        guard isClocked else { return schedule.lanes.map { _ in LaneTiming() } }
        let recording = latencyRecording ?? LatencyRecording(laneCount: schedule.lanes.count)
        latencyRecording = recording
        recording.rounds += 1
        let origin = ReplayClock.nanoseconds
        recording.paceOrigin = mode.speed == nil ? nil : origin
        return schedule.lanes.indices.map { lane in
            let pace = mode.speed.map {
                EventPace(times: schedule.lanes[lane].times, speed: $0, origin: origin, handOvers: handOvers)
            }
            return LaneTiming(recorder: recording.recorders[lane], pace: pace)
        }
    }

    /// Frees what is left, or where a lane failed all that is alive, and puts the lanes' figures together.
    @usableFromInline mutating func endRound(
        _ outcomes: [LaneOutcome], _ usage: RoundMeasurement.Usage
    ) throws(ReplayError) -> ReplayRound {
        if let failure = firstFailure(of: outcomes) {
            // An allocator that fails here too has been caught failing already: the first failure is the one to report.
            try? release([alive(after: outcomes)], on: nil)
            throw failure
        }
        try release(schedule.lanes.map(\.releases), on: crew)
        let worked = outcomes.filter { $0.eventsDone > 0 }
        // A thread that is ready late is late for its events: the pace began without it.
        let start = latencyRecording?.paceOrigin ?? worked.map(\.start).min() ?? 0
        let end = worked.map(\.end).max() ?? start
        return ReplayRound(
            nanoseconds: Int(end - start),
            processorNanoseconds: outcomes.reduce(0) { $0 + Int($1.processorNanoseconds) },
            busyNanoseconds: mode.speed == nil ? nil : latencyRecording?.takeBusyNanoseconds(),
            minorPageFaults: usage.minorPageFaults, residentPeakBytes: usage.residentPeakBytes)
    }

    /// Frees what is alive where the lanes stopped.
    @usableFromInline func endWarmUp(_ outcomes: [LaneOutcome]) throws(ReplayError) -> ReplayWarmUp {
        if let failure = firstFailure(of: outcomes) {
            try? release([alive(after: outcomes)], on: nil)
            throw failure
        }
        try release([alive(after: outcomes)], on: nil)
        return ReplayWarmUp(
            eventCount: outcomes.reduce(0) { $0 + $1.eventsDone },
            nanoseconds: Int((outcomes.map(\.end).max() ?? 0) - (outcomes.map(\.start).min() ?? 0)),
            processorNanoseconds: outcomes.reduce(0) { $0 + Int($1.processorNanoseconds) })
    }

    /// Frees the blocks of free events: each list on its lane's thread, or where there is no crew on the calling one.
    private func release(_ frees: [[TraceEvent]], on crew: ReplayCrew?) throws(ReplayError) {
        let failures = ReleaseFailures()
        let (slots, source, eventCount) = unsafe (slots, source, trace.events.count)
        func release(_ list: Int) {
            for event in frees[list] {
                let id = Int(event.slot)
                do {
                    // Alive, as the trace says, and nobody else's.
                    try unsafe (slots + id).move().deallocate(byteCount: event.byteCount, id: id, to: source)
                } catch {
                    failures.add(
                        .deallocationFailed(event: eventCount, byteCount: event.byteCount, reason: "\(error)"), in: list
                    )
                }
            }
        }
        if let crew {
            crew.run { lane in release(lane) }
        } else {
            for list in frees.indices { release(list) }
        }
        if let first = failures.first { throw first }
    }

    /// The failure that comes first in the trace.
    private func firstFailure(of outcomes: [LaneOutcome]) -> ReplayError? {
        outcomes.indices.compactMap { lane -> (Int, ReplayError)? in
            guard let failure = outcomes[lane].failure else { return nil }
            let event = schedule.lanes[lane].events[failure.event]
            let index = traceIndex(of: failure.event, in: lane)
            let error: ReplayError =
                event.kind == .allocate
                ? .allocationFailed(event: index, byteCount: event.byteCount, reason: failure.reason)
                : .deallocationFailed(event: index, byteCount: event.byteCount, reason: failure.reason)
            return (index, error)
        }
        .min { $0.0 < $1.0 }?.1
    }

    private func traceIndex(of event: Int, in lane: Int) -> Int {
        guard crew != nil else { return event }
        var seen = 0
        for index in trace.events.indices where Int(trace.events[index].thread) == lane {
            if seen == event { return index }
            seen += 1
        }
        return trace.events.count
    }

    /// What the lanes have alive where each of them stopped, in slot order.
    private func alive(after outcomes: [LaneOutcome]) -> [TraceEvent] {
        // No hash table: it would ask the malloc that may be the one measured for a block as large as the trace.
        var alive = [TraceEvent?](repeating: nil, count: schedule.slotCount)
        var handedOver: [UInt32] = []
        for (lane, outcome) in zip(schedule.lanes, outcomes) {
            for event in lane.events[..<outcome.eventsDone] {
                if event.kind == .allocate {
                    alive[Int(event.slot)] = event
                } else if event.slot < schedule.sharedSlotCount {
                    handedOver.append(event.slot)
                } else {
                    alive[Int(event.slot)] = nil
                }
            }
        }
        for slot in handedOver { alive[Int(slot)] = nil }
        return alive.compactMap(\.self)
    }
}

/// What failed while blocks were freed, thread by thread.
private final class ReleaseFailures: Sendable {
    private let outcomes = Mutex<[Int: ReplayError]>([:])

    func add(_ failure: ReplayError, in list: Int) {
        outcomes.withLock { if $0[list] == nil { $0[list] = failure } }
    }

    var first: ReplayError? { outcomes.withLock { found in found.min { $0.key < $1.key }?.value } }
}
