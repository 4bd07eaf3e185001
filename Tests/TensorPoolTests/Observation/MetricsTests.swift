import TensorPool
import Testing

extension PoolTests {
    @Suite struct MetricsTests {
        @Test func hitsReuseAndTimesAreThoseOfTheWork() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            #expect(pool.performanceMetrics().averageAllocationNanoseconds == nil)
            for _ in 0..<10_000 { drop(try pool.allocate(byteCount: 1 << 20)) }
            let metrics = pool.performanceMetrics()
            #expect(metrics.statistics.allocations == 10_000)
            #expect(metrics.cacheEfficiency > 0.99 && metrics.reuseRate > 0.99)
            #expect(metrics.sampleCount >= 3, "hits 2,048, 4,096 and 8,192 are timed")
            #expect(try found(metrics.averageAllocationNanoseconds) < 1e6)
            #expect(metrics.clockNanoseconds > 0)
            #expect(metrics.statistics.allocationsByCategory == [.medium: 10_000])
        }

        @Test func aPoolWithoutCachesHitsNothing() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .uncached)
            for _ in 0..<2000 { drop(try pool.allocate(byteCount: 1 << 20)) }
            #expect(pool.performanceMetrics().cacheEfficiency == 0)
            #expect(pool.performanceMetrics().reuseRate > 0.99, "the heap keeps what the thread does not")
            #expect(pool.recommendations().contains { $0.kind == .lowHitRate })
        }

        @Test func bothStrategiesOfTheAdaptivePoolCount() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool())
            for _ in 0..<30 { drop(try pool.allocate(byteCount: 1000)) }
            for _ in 0..<20 { drop(try pool.allocate(byteCount: 2 << 20)) }
            let figures = pool.performanceStatistics()
            #expect(figures.standardCount == 30 && figures.optimizedCount == 20)
            #expect(pool.statistics().allocationsByStrategy == [.standard: 30, .optimized: 20])
        }

        @Test func lifetimesAreSampledWhereAskedFor() throws {
            for isOn in [false, true] {
                var configuration = OptimizedTensorPoolConfig.bare
                configuration.enableStatisticalAnalysis = isOn
                let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
                for _ in 0..<20_000 { drop(try pool.allocate(byteCount: 200_000)) }
                let medium = try found(pool.workloadAnalysis().first { $0.category == .medium })
                #expect(medium.allocations == 20_000 && medium.share == 1)
                #expect((medium.lifetimeSamples > 5) == isOn)
                #expect((medium.averageByteCount == 200_000) == isOn)
                #expect((medium.averageLifetimeNanoseconds != nil) == isOn)
                expectSums(pool.statistics())
            }
        }
    }
}
