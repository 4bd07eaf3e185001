import TensorPool
import Testing

extension PoolTests {
    @Suite struct TensorPoolMigrationHelperTests {
        @Test func theBestPoolStartsWithWhatWasCalibrated() throws {
            let base = try HybridMemoryPool()
            let pool = try TensorPoolMigrationHelper.createBestPerformancePool(base)
            for byteCount in [64 << 10, 256 << 10, 1 << 20] {
                let decision = pool.explain(byteCount: byteCount)
                #expect(decision.rule == .measured && decision.comparisons == 1)
                let standard = try found(decision.standardNanoseconds)
                let optimized = try found(decision.optimizedNanoseconds) + decision.idleNanoseconds
                #expect(decision.strategy == (optimized < standard ? .optimized : .standard))
            }
            let handle = try pool.allocateTensorAuto(
                id: 3, byteCount: 100_000, device: .cpu, isModelWeight: false, isTemporary: false)
            try pool.deallocateTensor(id: 3, handle)
            #expect(base.statistics().liveBytes == 0)
        }

        @Test func aPriceOfIdlePagesMayBeAnyNumber() throws {
            var configuration = AdaptiveConfiguration()
            configuration.nanosecondsPerIdlePage = 1e300
            let pool = try TensorPoolMigrationHelper.createBestPerformancePool(
                HybridMemoryPool(), configuration: configuration)
            let decision = pool.explain(byteCount: 256 << 10)
            #expect(decision.strategy == .standard)
            #expect(decision.description.contains("must save 6.4e+301 ns"))
        }
    }
}
