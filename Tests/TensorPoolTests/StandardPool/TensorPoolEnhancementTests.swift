import PoolModel
import TensorPool
import Testing

extension PoolTests {
    @Suite struct TensorPoolEnhancementTests {
        @Test func largeTensorsAreReusedOnceEnhanced() throws {
            let base = try HybridMemoryPool()
            let pool = try TensorMemoryPool(base)
            let outstanding = try pool.allocateTensor(id: 1, byteCount: 1 << 20)
            unsafe Fixtures.fill(outstanding.bytes, 3)
            for _ in 0..<50 { drop(try pool.allocate(byteCount: 1 << 20)) }
            #expect(pool.statistics().cacheHits == 0)
            try pool.applyPerformanceEnhancements()
            for _ in 0..<50 { drop(try pool.allocate(byteCount: 1 << 20)) }
            #expect(pool.statistics().cacheHits >= 48)
            unsafe #expect(Fixtures.holds(outstanding.bytes, 3), "outstanding tensors stay as they are")
            try pool.deallocateTensor(id: 1, outstanding)
            expectSums(pool.statistics())
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        @Test func prewarmingMakesBlocksReady() throws {
            let pool = try TensorMemoryPool(HybridMemoryPool())
            try pool.applyPerformanceEnhancements(
                EnhancedTensorPoolConfig(
                    enableFastReuse: false, enableCacheOptimization: false, enablePrewarming: true,
                    prewarmByteCount: 2 << 20))
            let before = pool.statistics()
            #expect(before.prewarmedBytes > 1 << 20)
            drop(try pool.allocate(byteCount: 10_000))
            #expect(pool.statistics().backendAllocations == before.backendAllocations)
        }

        @Test func cacheOptimizationKeepsMore() throws {
            func kept(_ isEnhanced: Bool) throws -> Int {
                let pool = try TensorMemoryPool(HybridMemoryPool())
                if isEnhanced {
                    try pool.applyPerformanceEnhancements(
                        EnhancedTensorPoolConfig(
                            enableFastReuse: false, cacheByteLimit: 4 << 20, enablePrewarming: false))
                }
                var held = try (0..<300).map { _ in try pool.own(16 << 10) }
                held.removeAll()
                return pool.statistics().cachedBytes
            }
            #expect(try kept(true) > 2 * kept(false))
        }

        @Test func nonsenseIsRefusedAndChangesNothing() throws {
            let pool = try TensorMemoryPool(HybridMemoryPool())
            let before = pool.statistics()
            #expect(throws: TensorPoolError.self) {
                try pool.applyPerformanceEnhancements(EnhancedTensorPoolConfig(fastReuseByteLimit: 0))
            }
            #expect(pool.statistics() == before)
            for _ in 0..<10 { drop(try pool.allocate(byteCount: 1 << 20)) }
            #expect(pool.statistics().cacheHits == 0)
        }
    }
}
