import TensorPool
import Testing

@testable import AllocationTrace
@testable import tensor_pool

@Suite struct PoolSuggestionTests {
    private func estimate(_ figures: [(String, [Double])]) -> ReplayEstimate {
        ReplayEstimate(
            traceEvents: 1, replayedEvents: 1, touch: .page, turns: 1,
            subjects: figures.compactMap { name, values in
                RoundStatistics(values).map {
                    ReplaySubject(name: name, statistics: $0, turnMedians: [$0.median])
                }
            }, gains: [])
    }

    @Test func theAdaptivePoolUnlessAnotherIsClearlyFaster() {
        func chosen(_ standard: [Double], _ optimized: [Double], _ adaptive: [Double]) -> PoolName {
            PoolSuggestion.choosePool(
                estimate([
                    ("standard", standard + standard), ("optimized", optimized + optimized),
                    ("adaptive", adaptive + adaptive),
                ])
            ).0
        }
        #expect(chosen([100, 101, 102], [95, 96, 97], [100, 100, 100]) == .adaptive)
        #expect(chosen([100, 101, 102], [80, 81, 82], [100, 100, 100]) == .optimized)
        #expect(chosen([50, 51, 52], [100, 100, 100], [100, 100, 100]) == .standard)
        // Faster in the middle, but the spreads overlap.
        #expect(chosen([200, 200, 200], [50, 80, 140], [90, 100, 110]) == .adaptive)
    }

    @Test func amountsAddUpToThePeakOfAllTogether() {
        let demand = PeakDemand(
            verySmall: 10, small: 20, medium: 300, large: 5000, veryLarge: 60_000, granules: 62_000)
        let adaptive = PoolSuggestion.prewarming(demand, pool: .adaptive, atMost: 1 << 40)
        #expect(adaptive == .init(verySmall: 0, small: 0, medium: 300, large: 5000, veryLarge: 56_700))
        let optimized = PoolSuggestion.prewarming(demand, pool: .optimized, atMost: 4000)
        #expect(optimized == .init(verySmall: 10, small: 20, medium: 300, large: 3700, veryLarge: 0))
    }

    /// What is suggested was measured as well, and what did not help is taken back.
    @Test func settingsThatDidNotHelpAreTakenBack() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 1000)
        for index in 0..<50 {
            try builder.allocate(address: UInt64(index + 1), byteCount: 3 << 20, thread: 1)
            try builder.free(address: UInt64(index + 1), byteCount: nil, thread: 1)
        }
        let analysis = TraceAnalysis(builder.finish())
        let pools = [("adaptive", [100.0, 101, 102])]
        let suggestion = PoolSuggestion(analysis, estimate(pools), memoryBytes: 1 << 40)
        #expect(suggestion.profile == .largeTensors && (suggestion.prewarming?.byteCount ?? 0) > 0)
        func judged(_ suggested: [Double]) -> PoolSuggestion {
            suggestion.judged(by: estimate(pools + [(ReplayEstimate.suggested, suggested)]))
        }
        #expect(judged([80, 81, 82]) == suggestion)
        // Slower: nothing of it is left. As fast, and the first pass too: nothing is made ready.
        let slower = judged([120, 121, 122])
        #expect(slower.profile == .standard && slower.configuration == .adaptive(AdaptiveConfiguration()))
        let equal = judged([100, 101, 102])
        #expect(equal.profile == .largeTensors && equal.prewarming?.byteCount == 0)
        #expect(suggestion.judged(by: estimate(pools)) == suggestion)
    }

    @Test func profilesFollowTheFigures() throws {
        func profile(
            _ sizes: [Int], keeping kept: Int = 0, memory: Int = 1 << 40
        ) throws -> PoolSuggestion.Profile {
            var builder = AllocationTraceBuilder(maximumEvents: 10_000)
            try builder.allocate(address: 1 << 40, byteCount: kept, thread: 1)
            for (index, size) in sizes.enumerated() {
                try builder.allocate(address: UInt64(index + 1), byteCount: size, thread: 1)
                try builder.free(address: UInt64(index + 1), byteCount: nil, thread: 1)
            }
            return PoolSuggestion.chooseProfile(TraceAnalysis(builder.finish()), memoryBytes: memory).0
        }
        #expect(try profile(Array(repeating: 100, count: 50)) == .smallTensors)
        #expect(try profile(Array(repeating: 3 << 20, count: 50)) == .largeTensors)
        #expect(try profile(Array(repeating: 3 << 20, count: 50), memory: 4 << 20) == .memoryConstrained)
        #expect(try profile(Array(repeating: 100 << 10, count: 50)) == .standard)
        let step = (0..<50).map { 70_000 + $0 * $0 * 64 }
        #expect(try profile((0..<5).flatMap { _ in step }) == .training)
        #expect(try profile((0..<5).flatMap { _ in step }, keeping: 1 << 20) == .inference)
    }
}

extension ReplaySubject {
    /// One whose every figure over rounds is the same.
    init(name: String, statistics: RoundStatistics, turnMedians: [Double]) {
        self.init(
            name: name, allocator: name, eventsPerRound: 1, firstRound: statistics, nanosecondsPerEvent: statistics,
            processorNanosecondsPerEvent: statistics, processMedians: statistics,
            turnMedians: turnMedians, minorPageFaults: statistics, residentPeakBytes: 1,
            residentGrowthOverPeakLive: 1, reservedBytes: nil, constructionMilliseconds: nil, latencies: nil)
    }
}
