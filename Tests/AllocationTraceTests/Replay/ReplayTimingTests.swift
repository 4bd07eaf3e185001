import Testing

@testable import AllocationTrace

@Suite struct ReplayTimingTests {
    /// Two threads, an event every `interval` nanoseconds.
    private func trace(events: Int, interval: Int64) throws -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: events)
        for index in 0..<events {
            let address = UInt64(index / 2)
            let time = Int64(index) * interval
            if index % 2 == 0 {
                try builder.allocate(address: address, byteCount: index + 1, thread: address % 2, time: time)
            } else {
                try builder.free(address: address, byteCount: index, thread: address % 2, time: time)
            }
        }
        return builder.finish()
    }

    /// Late is possible on a busy machine; early is a mistake.
    @Test(arguments: [false, true], [1.0, 4.0])
    func noEventComesBeforeItsTime(isConcurrent: Bool, speed: Double) throws {
        let trace = try trace(events: 60, interval: 400_000)
        let heap = SharedHeap()
        let mode = ReplayMode(isConcurrent: isConcurrent, speed: speed)
        var replay = try Replay<SharedBlock>(trace, on: heap, touch: .none, mode: mode)
        let start = ContinuousClock.now
        let round = try replay.runRound()
        let bySize = Dictionary(grouping: heap.history) { "\($0.kind) \($0.byteCount)" }
        for (index, event) in trace.events.enumerated() {
            let call = try #require(bySize["\(event.kind) \(event.byteCount)"]?.first)
            #expect((call.moment - start) / .nanoseconds(1) >= Double(index) * 400_000 / speed)
        }
        let found = replay.latencies
        let latencies = try #require(found)
        #expect(latencies.rounds == 1)
        #expect(latencies.events?.count == 60)
        #expect(latencies.lateness?.count == 60)
        let busy = try #require(round.busyNanoseconds)
        #expect(busy > 0 && busy <= round.nanoseconds * (isConcurrent ? 2 : 1))
    }

    @Test func whatCannotBePacedIsRefused() throws {
        func error(_ trace: AllocationTrace, _ speed: Double) -> ReplayError? {
            do throws(ReplayError) {
                try Replay<SystemMallocBlock>(trace, on: (), touch: .none, mode: .init(speed: speed)).discard()
                return nil
            } catch {
                return error
            }
        }
        var builder = AllocationTraceBuilder(maximumEvents: 2, details: [])
        try builder.allocate(address: 1, byteCount: 1, thread: 0)
        #expect(error(builder.finish(), 1) == .noTimes)
        let week = try trace(events: 8, interval: 86_400_000_000_000)
        #expect(error(week, 1) == .tooSlow(roundSeconds: 7 * 86_400, neededSpeed: 7))
        #expect(error(week, 7) == nil)
        for speed in [0, -1, .infinity, .nan] as [Double] {
            guard case .speedOutOfRange = error(week, speed) else {
                Issue.record("\(speed) was taken")
                continue
            }
        }
    }

    @Test(arguments: [false, true])
    func everyEventIsClocked(isConcurrent: Bool) throws {
        let trace = try trace(events: 400, interval: 1)
        let heap = SharedHeap()
        var replay = try Replay<SharedBlock>(trace, on: heap, touch: .page, mode: .init(isConcurrent: isConcurrent))
        _ = try replay.runRound()
        let none = replay.latencies
        #expect(none == nil)
        try replay.measureLatencies()
        try replay.measureLatencies()
        let found = replay.latencies
        let latencies = try #require(found)
        #expect(latencies.rounds == 2)
        #expect(latencies.allocations?.count == 400)
        #expect(latencies.frees?.count == 400)
        #expect(latencies.lateness == nil)
        let events = try #require(latencies.events)
        #expect(events.count == 800)
        let ordered = [events.p50, events.p90, events.p99, events.p999, events.maximum]
        #expect(ordered == ordered.sorted())
        #expect(events.mean <= Double(events.maximum))
    }

    /// Against the values themselves, sorted.
    @Test func percentilesAreThoseOfTheValues() throws {
        var generator = SeededGenerator(seed: SeededGenerator.runSeed("percentilesAreThoseOfTheValues"))
        let values = (0..<20_000).map { _ in
            UInt64.random(in: 0..<1 << UInt64.random(in: 1..<40, using: &generator), using: &generator)
        }
        let recorder = LatencyRecorder(clockNanoseconds: 25)
        for value in values { recorder.recordAllocation(value) }
        let report = LatencyRecorder.report([recorder], rounds: 1, clockNanoseconds: 25)
        let figures = try #require(report.allocations)
        #expect(report.events == figures)
        #expect(report.frees == nil)
        let sorted = values.map { $0 - min($0, 25) }.sorted()
        #expect(figures.maximum == sorted.last)
        #expect(figures.mean == Double(sorted.reduce(0, +)) / 20_000)
        for (share, found) in [
            (0.5, figures.p50), (0.9, figures.p90), (0.99, figures.p99), (0.999, figures.p999),
        ] {
            let exact = Double(sorted[Int((20_000 * share).rounded(.up)) - 1])
            #expect(Double(found) >= exact && Double(found) <= exact * 1.001 + 1, "\(share)")
        }
    }

    @Test func theClockHasACost() {
        let cost = ReplayClock.costNanoseconds
        #expect(cost < 1_000_000)
        let first = ReplayClock.nanoseconds
        #expect(ReplayClock.nanoseconds >= first)
    }

    /// More than 2^42 nanoseconds are taken for that, and sums stay in range.
    @Test func hugeLatenciesAreSurvived() throws {
        let recorder = LatencyRecorder(clockNanoseconds: 0)
        for _ in 0..<3 { recorder.recordFree(.max) }
        let figures = try #require(LatencyRecorder.report([recorder], rounds: 1, clockNanoseconds: 0).frees)
        #expect(figures.maximum == 1 << 42)
        #expect(figures.p50 == 1 << 42)
    }
}
