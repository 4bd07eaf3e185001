import Testing

@testable import AllocationTrace

@Suite struct ConcurrentReplayTests {
    static let concurrent = ReplayMode(isConcurrent: true)

    /// A random legal history of several threads that free each other's tensors. Sizes tell tensors apart.
    private func randomTrace(seed: UInt64, threads: Int, events: Int) throws -> AllocationTrace {
        var generator = SeededGenerator(seed: seed)
        var builder = AllocationTraceBuilder(maximumEvents: events)
        var alive: [(address: UInt64, owner: Int)] = []
        for index in 0..<events {
            let thread = Int.random(in: 0..<threads, using: &generator)
            if alive.isEmpty || (alive.count < 40 && Bool.random(using: &generator)) {
                let address = UInt64(index + 1)
                try builder.allocate(address: address, byteCount: index + 1, thread: UInt64(thread), time: Int64(index))
                alive.append((address, thread))
            } else {
                let victim = alive.remove(at: Int.random(in: alive.indices, using: &generator))
                // A third goes to whoever comes, the rest home.
                let freer = Int.random(in: 0..<3, using: &generator) == 0 ? thread : victim.owner
                try builder.free(address: victim.address, byteCount: nil, thread: UInt64(freer), time: Int64(index))
            }
        }
        return builder.finish()
    }

    /// Each thread keeps its own order, and no tensor is freed before it is there, in every round.
    @Test(arguments: 0..<8)
    func keepsTheRecordedOrder(case number: Int) throws {
        let seed = SeededGenerator.runSeed("keepsTheRecordedOrder") &+ UInt64(number)
        let trace = try randomTrace(seed: seed, threads: 1 + number, events: 600)
        #expect(number == 0 || trace.summary.crossThreadFreeCount > 0)
        let heap = SharedHeap()
        var replay = try Replay<SharedBlock>(trace, on: heap, touch: .page, mode: Self.concurrent)
        for round in 1...3 {
            let before = heap.history.count
            let result = try replay.runRound()
            #expect(result.nanoseconds > 0)
            let calls = Array(heap.history[before...])
            #expect(calls.count == trace.events.count + trace.releases.count)
            heap.with {
                #expect($0.live.isEmpty)
                #expect($0.mistakes.isEmpty, "\($0.mistakes.prefix(3))")
                #expect($0.allocations == round * trace.summary.allocationCount)
            }
            // By thread, what it did without the frees of what the trace leaves alive.
            let done = Dictionary(grouping: calls, by: \.thread).values.map { $0.map { "\($0.kind) \($0.byteCount)" } }
            let recorded = trace.threads.indices.map { thread in
                (trace.events + trace.releases).filter { Int($0.thread) == thread }
                    .map { "\($0.kind) \($0.byteCount)" }
            }
            #expect(Set(done) == Set(recorded))
        }
    }

    /// A lane that stops lets those that wait for its tensors go, and the next round is whole.
    @Test(arguments: 0..<6)
    func aWarmUpLeavesNothingAlive(case number: Int) throws {
        let seed = SeededGenerator.runSeed("aWarmUpLeavesNothingAlive") &+ UInt64(number)
        let trace = try randomTrace(seed: seed, threads: 2 + number, events: 600)
        let heap = SharedHeap()
        var replay = try Replay<SharedBlock>(trace, on: heap, touch: .none, mode: Self.concurrent)
        for limit in [0, 20 * number, .max] {
            let warmUp = try replay.warmUp(WarmUpLimit(processorNanoseconds: .max, eventCount: limit))
            #expect(warmUp.eventCount <= trace.events.count)
            #expect(limit < .max || warmUp.eventCount == trace.events.count)
            heap.with {
                #expect($0.live.isEmpty)
                #expect($0.mistakes.isEmpty, "\($0.mistakes.prefix(3))")
            }
        }
        let before = heap.history.count
        _ = try replay.runRound()
        #expect(heap.history.count - before == trace.events.count + trace.releases.count)
    }

    /// Nothing but the order of a tensor's own life ties two threads together: sharing a slot would.
    @Test func sharedTensorsHaveSlotsOfTheirOwn() throws {
        let trace = try randomTrace(seed: 7, threads: 4, events: 2000)
        let schedule = ReplaySchedule(concurrent: trace, isTimed: true)
        var allocations = [Int](repeating: 0, count: schedule.slotCount)
        var lanesOfSlot = [Set<Int>](repeating: [], count: schedule.slotCount)
        for (number, lane) in schedule.lanes.enumerated() {
            #expect(lane.times.count == lane.events.count)
            for event in lane.events + lane.releases {
                if event.kind == .allocate { allocations[Int(event.slot)] += 1 }
                lanesOfSlot[Int(event.slot)].insert(number)
            }
        }
        let shared = schedule.sharedSlotCount
        #expect(shared == trace.summary.crossThreadFreeCount)
        #expect(allocations[..<shared].allSatisfy { $0 == 1 })
        #expect(lanesOfSlot[..<shared].allSatisfy { $0.count == 2 })
        #expect(lanesOfSlot[shared...].allSatisfy { $0.count == 1 })
        #expect(schedule.liveBytesBound >= trace.summary.peakLiveBytes)
    }

    /// Slots of tensors that stay on their thread are used again: as many as are alive at a time.
    @Test func oneThreadNeedsNoMoreThanItsPeak() throws {
        let trace = try randomTrace(seed: 3, threads: 1, events: 1000)
        let schedule = ReplaySchedule(concurrent: trace, isTimed: false)
        #expect(schedule.slotCount == trace.slotCount)
        #expect(schedule.sharedSlotCount == 0)
        #expect(schedule.liveBytesBound == trace.summary.peakLiveBytes)
        #expect(schedule.lanes[0].times.isEmpty)
    }

    /// A thread that waits for what another never comes to is let go, and everything is given back.
    @Test(arguments: 0..<12)
    func aFailureEndsAllThreads(refused: Int) throws {
        let trace = try randomTrace(seed: 11, threads: 4, events: 400)
        let heap = SharedHeap()
        heap.with {
            if refused % 2 == 0 { $0.refusedAllocation = refused * 15 } else { $0.refusedDeallocation = refused * 10 }
        }
        var replay = try Replay<SharedBlock>(trace, on: heap, touch: .none, mode: Self.concurrent)
        let error = try #require(throws: ReplayError.self) { try replay.runRound() }
        switch error {
        case .allocationFailed(let event, let byteCount, "refused"):
            #expect(trace.events[event].kind == .allocate && trace.events[event].byteCount == byteCount)
        case .deallocationFailed(let event, let byteCount, "refused"):
            // The last frees come behind the trace's end.
            #expect(event == trace.events.count || trace.events[event].byteCount == byteCount)
        default: Issue.record("\(error)")
        }
        heap.with {
            #expect($0.live.isEmpty)
            #expect($0.mistakes.isEmpty)
        }
        // The replay is still good.
        _ = try replay.runRound()
        heap.with { #expect($0.live.isEmpty) }
    }

    /// A consumer that is always ahead sleeps and is woken: rounds enough for the rare orders.
    @Test func aWaitingThreadIsWoken() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 100_000)
        for index in 0..<4000 {
            // The producer does more for each tensor than the consumer.
            for extra in 0..<4 {
                try builder.allocate(address: UInt64(10 + extra), byteCount: 64, thread: 0)
                try builder.free(address: UInt64(10 + extra), byteCount: 64, thread: 0)
            }
            try builder.allocate(address: 1, byteCount: index + 1, thread: 0)
            try builder.free(address: 1, byteCount: index + 1, thread: 1)
        }
        var replay = try Replay<SystemMallocBlock>(builder.finish(), on: (), touch: .none, mode: Self.concurrent)
        #expect(try replay.run(rounds: 5).rounds.count == 5)
    }

    @Test func moreThreadsThanAreStartedAreRefused() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 10_000)
        for thread in 0...ReplayMode.maximumThreads {
            try builder.allocate(address: UInt64(thread), byteCount: 1, thread: UInt64(thread))
        }
        let trace = builder.finish()
        #expect(throws: ReplayError.tooManyThreads(ReplayMode.maximumThreads + 1)) {
            try Replay<SystemMallocBlock>(trace, on: (), touch: .none, mode: Self.concurrent).discard()
        }
    }

    /// Freed at once, but by another thread: in recorded order one is alive at a time.
    @Test func theBoundAssumesThatNobodyFreesInTime() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 100)
        for _ in 0..<40 {
            try builder.allocate(address: 1, byteCount: 1 << 50, thread: 0)
            try builder.free(address: 1, byteCount: 1 << 50, thread: 1)
        }
        let trace = builder.finish()
        #expect(ReplaySchedule(concurrent: trace, isTimed: false).liveBytesBound == 40 << 50)
    }

    @Test func whatMayExceedTheMemoryIsRefused() throws {
        let available = try #require(ProcessMemory.availableBytes)
        var builder = AllocationTraceBuilder(maximumEvents: 100)
        for _ in 0..<40 {
            try builder.allocate(address: 1, byteCount: available / 20, thread: 0)
            try builder.free(address: 1, byteCount: available / 20, thread: 1)
        }
        let trace = builder.finish()
        let error = try #require(throws: ReplayError.self) {
            try Replay<SystemMallocBlock>(trace, on: (), touch: .page, mode: Self.concurrent).discard()
        }
        guard case .mayExceedMemory(let bound, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(bound == available / 20 * 40)
    }

    @Test func anEmptyTraceIsARound() throws {
        let trace = AllocationTraceBuilder(maximumEvents: 1).finish()
        var replay = try Replay<SystemMallocBlock>(trace, on: (), touch: .full, mode: Self.concurrent)
        #expect(try replay.run(rounds: 2).rounds.map(\.nanoseconds) == [0, 0])
    }
}
