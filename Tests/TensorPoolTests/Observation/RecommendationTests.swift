import Testing

@testable import TensorPool

@Suite struct RecommendationTests {
    private static func derive(
        _ change: (inout PoolStatistics) -> Void, efficiency: Double = 0.95, nanoseconds: Double? = nil,
        age: Double = 2e9, limit: Int? = nil
    ) -> [PoolRecommendation] {
        var statistics = PoolStatistics()
        statistics.allocations = 10_000
        change(&statistics)
        return PoolRecommendation.derive(
            PerformanceMetrics(
                reuseRate: 1, cacheEfficiency: efficiency, averageAllocationNanoseconds: nanoseconds,
                hitNanoseconds: nil, missNanoseconds: nil, sampleCount: 0, clockNanoseconds: 20,
                statistics: statistics),
            ageNanoseconds: age, limit: limit)
    }

    @Test func aHealthyPoolGetsNone() {
        #expect(Self.derive { _ in }.isEmpty)
    }

    @Test func eachFindingNamesItsFigureAndASetting() {
        let cases: [(PoolRecommendation.Kind, [PoolRecommendation], String)] = [
            (.lowHitRate, Self.derive({ _ in }, efficiency: 0.31), "31 %"),
            (.idleMemory, Self.derive { $0.cachedBytes = 100 << 20 }, "100 MiB"),
            (.notAllocationBound, Self.derive({ _ in }, nanoseconds: 100), "0.05 %"),
            (.unusedPrewarming, Self.derive { $0.prewarmedBytes = 8 << 20 }, "8 MiB"),
            (
                .padding,
                Self.derive {
                    $0.liveBytes = 100 << 20
                    $0.paddingBytes = 40 << 20
                }, "40 %"
            ),
            (.nearLimit, Self.derive({ $0.reservedBytes = 95 << 20 }, limit: 100 << 20), "95 MiB"),
            (.doubleFrees, Self.derive { $0.absorbedFrees = 7 }, "7 handles"),
        ]
        for (kind, found, figure) in cases {
            #expect(found.map(\.kind) == [kind])
            #expect(found.first?.finding.contains(figure) == true, "\(found)")
            #expect(found.first?.advice.isEmpty == false)
        }
        #expect(Set(cases.map(\.0)) == Set(PoolRecommendation.Kind.allCases))
    }

    @Test func littleWorkSaysNothing() {
        #expect(Self.derive({ $0.allocations = 10 }, efficiency: 0, nanoseconds: 1).isEmpty)
    }
}
