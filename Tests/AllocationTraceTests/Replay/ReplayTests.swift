import AllocationTrace
import Testing

@Suite struct ReplayTests {
    private func trace(_ rows: [(TraceEvent.Kind, UInt64, Int)]) throws -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: 1000)
        for (kind, address, byteCount) in rows {
            switch kind {
            case .allocate: try builder.allocate(address: address, byteCount: byteCount, thread: 0)
            case .free: try builder.free(address: address, byteCount: byteCount, thread: 0)
            }
        }
        return builder.finish()
    }

    private func small() throws -> AllocationTrace {
        try trace([
            (.allocate, 1, 10_000), (.allocate, 2, 4096), (.free, 1, 10_000), (.allocate, 3, 1), (.allocate, 4, 5000),
            (.free, 2, 4096),
        ])
    }

    @Test func repeatsTheTraceAndFreesTheRest() throws {
        let heap = CheckedHeap()
        let trace = try small()
        var replay = try Replay<CheckedBlock>(trace, on: heap, touch: .none)
        var told: [Int] = []
        let report = try replay.run(rounds: 3) { told.append($0) }
        #expect(told == [1, 2, 3])
        #expect(report.rounds.count == 3)
        #expect(report.rounds.allSatisfy { $0.nanoseconds > 0 })
        #expect(report.residentBytesBefore > 0)
        #expect(heap.allocations == 3 * 4)
        #expect(heap.deallocations == 3 * 4)
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
        #expect(heap.peakLiveBytes == trace.summary.peakLiveBytes)
    }

    /// It stops at the limit and gives back what is alive there.
    @Test(arguments: [0, 1, 4, 6, 100])
    func aWarmUpStopsAtItsLimit(events: Int) throws {
        let heap = CheckedHeap()
        var replay = try Replay<CheckedBlock>(small(), on: heap, touch: .none)
        let warmUp = try replay.warmUp(WarmUpLimit(processorNanoseconds: .max, eventCount: events))
        #expect(warmUp.eventCount == min(events, 6))
        #expect(heap.allocations == [0: 0, 1: 1, 4: 3][events, default: 4])
        #expect(heap.deallocations == heap.allocations)
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
        // Nothing of it is in the round after it.
        let before = heap.allocations
        _ = try replay.runRound()
        #expect(heap.allocations == before + 4)
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
    }

    @Test(arguments: [Int.min, 0])
    func aWarmUpWithoutTimeDoesNothing(nanoseconds: Int) throws {
        let heap = CheckedHeap()
        var replay = try Replay<CheckedBlock>(small(), on: heap, touch: .none)
        #expect(try replay.warmUp(WarmUpLimit(processorNanoseconds: nanoseconds)).eventCount == 0)
        #expect(heap.allocations == 0)
    }

    @Test func aWarmUpThatFailsGivesEverythingBack() throws {
        let heap = CheckedHeap()
        heap.refusedAllocation = 2
        var replay = try Replay<CheckedBlock>(small(), on: heap, touch: .none)
        #expect(throws: ReplayError.allocationFailed(event: 3, byteCount: 1, reason: "refused")) {
            try replay.warmUp(WarmUpLimit(processorNanoseconds: .max))
        }
        #expect(heap.live.isEmpty)
    }

    @Test func replaysTheBundledTrace() throws {
        let heap = CheckedHeap()
        let trace = try RMMTraceReader().read(path: bundledTracePath).scaledDown()
        var replay = try Replay<CheckedBlock>(trace, on: heap, touch: .page)
        _ = try replay.runRound()
        #expect(heap.allocations == 6022)
        #expect(heap.deallocations == 6022)
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
        #expect(heap.peakLiveBytes == trace.summary.peakLiveBytes)
    }

    /// Every page of a block gets its byte, wherever in a page the block starts, and no byte outside is written.
    @Test(arguments: Touch.allCases)
    func touchesWhatItSays(touch: Touch) throws {
        let heap = CheckedHeap()
        var blocks = 0
        heap.inspect = { address, bytes in
            blocks += 1
            func page(_ offset: Int) -> UInt { (address + UInt(offset)) / 4096 }
            let written = bytes.indices.filter { bytes[$0] == 1 }
            switch touch {
            case .none: #expect(written.isEmpty)
            case .page: #expect(written.map(page) == Set(bytes.indices.map(page)).sorted())
            case .full: #expect(written.count == bytes.count)
            }
        }
        var replay = try Replay<CheckedBlock>(small(), on: heap, touch: touch)
        _ = try replay.runRound()
        #expect(blocks == 4)
    }

    @Test(arguments: 0..<4)
    func aRefusedAllocationGivesEverythingBack(refused: Int) throws {
        let heap = CheckedHeap()
        heap.refusedAllocation = refused
        var replay = try Replay<CheckedBlock>(small(), on: heap, touch: .page)
        let event = [0, 1, 3, 4][refused]
        let size = [10_000, 4096, 1, 5000][refused]
        #expect(throws: ReplayError.allocationFailed(event: event, byteCount: size, reason: "refused")) {
            try replay.runRound()
        }
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
        // The replay is still good.
        _ = try replay.runRound()
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
    }

    @Test(arguments: [(0, 2, 10_000), (1, 5, 4096), (2, 6, 1), (3, 6, 5000)])
    func aRefusedDeallocationGivesTheOthersBack(refused: Int, event: Int, size: Int) throws {
        let heap = CheckedHeap()
        heap.refusedDeallocation = refused
        var replay = try Replay<CheckedBlock>(small(), on: heap, touch: .none)
        let error = try #require(throws: ReplayError.self) { try replay.runRound() }
        guard case .deallocationFailed(event, _, "refused") = error else {
            Issue.record("\(error)")
            return
        }
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
    }

    /// A file that asks for more memory than there is must not bring the machine down.
    @Test(arguments: [Touch.page, .full])
    func refusesToTouchMoreThanThereIs(touch: Touch) throws {
        let trace = try trace([(.allocate, 1, 1 << 50)])
        let error = try #require(throws: ReplayError.self) {
            try Replay<SystemMallocBlock>(trace, on: (), touch: touch).discard()
        }
        guard case .exceedsMemory(1 << 50, let available) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(available > 0)
    }

    @Test func tellsWhatTheSystemRefuses() throws {
        var replay = try Replay<SystemMallocBlock>(trace([(.allocate, 1, 1 << 56)]), on: (), touch: .none)
        #expect(throws: ReplayError.allocationFailed(event: 0, byteCount: 1 << 56, reason: "out of memory")) {
            try replay.runRound()
        }
    }

    @Test func anEmptyTraceIsARound() throws {
        let heap = CheckedHeap()
        var replay = try Replay<CheckedBlock>(trace([]), on: heap, touch: .full)
        #expect(try replay.run(rounds: 2).rounds.count == 2)
        #expect(heap.allocations == 0)
    }
}

extension Replay where Block: ~Copyable {
    consuming func discard() {}
}

extension AllocationTrace {
    /// The same history with sizes a thousandth, so that filling each block with a pattern takes no time.
    fileprivate func scaledDown() throws -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: events.count)
        for event in events {
            let byteCount = event.byteCount / 1000 + 1
            switch event.kind {
            case .allocate: try builder.allocate(address: UInt64(event.slot), byteCount: byteCount, thread: 0)
            case .free: try builder.free(address: UInt64(event.slot), byteCount: byteCount, thread: 0)
            }
        }
        return builder.finish()
    }
}
