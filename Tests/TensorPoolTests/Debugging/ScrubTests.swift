import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    /// `scrubOnFree`: what was freed holds zeros before anyone else can have it.
    struct ScrubTests {
        private static func pool(_ kind: AllocationStrategy, _ base: HybridMemoryPool) throws -> any ObservablePool {
            if kind == .standard {
                var configuration = TensorMemoryPool.Configuration()
                configuration.scrubOnFree = true
                return try TensorMemoryPool(base, configuration: configuration)
            }
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.scrubOnFree = true
            return try OptimizedTensorMemoryPool(base, configuration: configuration)
        }

        @Test(arguments: AllocationStrategy.allCases, [1, 1000, 14_000, 20_000, 100_000, 5 << 20])
        func freedBytesAreZero(_ strategy: AllocationStrategy, _ byteCount: Int) throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(strategy, base)
            for role in TensorRole.allCases {
                // Its neighbour keeps the memory where it is.
                let neighbour = try pool.own(byteCount, TensorTraits(role: role))
                let buffer = try pool.allocate(
                    byteCount: byteCount, alignment: 64, zeroed: false, traits: TensorTraits(role: role))
                unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.dirty($0) }
                let freed = unsafe UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: byteCount)
                drop(buffer)
                if Self.keeps(strategy, byteCount) { #expect(unsafe Fixtures.isZero(freed)) }
                let handle = try pool.allocateTensor(
                    id: 1, byteCount: byteCount, device: .cpu, isModelWeight: role == .weight, isTemporary: false)
                unsafe Fixtures.dirty(handle.bytes)
                try pool.deallocateTensor(id: 1, handle)
                if Self.keeps(strategy, byteCount) { #expect(unsafe Fixtures.isZero(handle.bytes)) }
                #expect(neighbour.byteCount == byteCount)
            }
            let statistics = pool.statistics()
            #expect(statistics.liveTensors == 0 && statistics.cacheHits == 0)
            expectSums(statistics)
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        /// Whether freed memory stays the pool's, so that a test may look at it.
        private static func keeps(_ strategy: AllocationStrategy, _ byteCount: Int) -> Bool {
            strategy == .optimized || byteCount <= 32 << 10
        }

        /// An enhancement must not bring back caches that tensors would pass unseen.
        @Test func enhancementsKeepScrubbing() throws {
            let base = try HybridMemoryPool()
            var configuration = TensorMemoryPool.Configuration()
            configuration.scrubOnFree = true
            let pool = try TensorMemoryPool(base, configuration: configuration)
            try pool.applyPerformanceEnhancements()
            for _ in 0..<100 {
                let handle = try pool.allocateTensor(id: 1, byteCount: 3000)
                unsafe Fixtures.dirty(handle.bytes)
                try pool.deallocateTensor(id: 1, handle)
                #expect(unsafe Fixtures.isZero(handle.bytes))
            }
        }

        /// A plan's slab is one tensor of the pool, which sees no end of what lies in it.
        @Test func placesOfAPlanShowNothingOfTheTensorBefore() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(.optimized, base)
            func check(_ upstream: some TensorAllocator) throws {
                let layout = try StaticPlanLayout(
                    allocations: [.init(offset: 0, byteCount: 3000), .init(offset: 0, byteCount: 4096)], byteCount: 4096
                )
                let plan = try StaticPlan(layout, upstream: upstream)
                for _ in 0..<3 {
                    let buffer = try plan.allocate(byteCount: 3000)
                    #expect(unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.isZero($0) })
                    unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.dirty($0) }
                    drop(buffer)
                    let handle = try plan.allocateTensor(id: 1, byteCount: 4096)
                    #expect(unsafe Fixtures.isZero(handle.bytes))
                    unsafe Fixtures.dirty(handle.bytes)
                    try plan.deallocateTensor(id: 1, handle)
                }
                #expect(plan.counts.served == 6)
            }
            let page = try StaticPlanLayout(allocations: [.init(offset: 0, byteCount: 4096)], byteCount: 4096)
            func checkAll(_ pool: some TensorAllocator) throws {
                try check(pool)
                try check(BudgetedAllocator(pool, byteLimit: 1 << 20))
                try check(StaticPlan(page, upstream: pool))
                let nested = BudgetedAllocator(try StaticPlan(page, upstream: pool), byteLimit: 1 << 20)
                try check(BudgetedAllocator(nested, byteLimit: 1 << 20))
            }
            try checkAll(pool)
        }

        @Test func aTensorThatMovesLeavesZeros() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(.optimized, base)
            var handle = try pool.allocateTensor(id: 1, byteCount: 100_000)
            unsafe Fixtures.fill(handle.bytes, 9)
            let old = handle
            handle = try pool.reallocateTensor(id: 1, handle, byteCount: 200_000)
            #expect(unsafe Fixtures.isZero(old.bytes))
            let optimized = try found(pool as? OptimizedTensorMemoryPool)
            let weight = try optimized.makeWeight(id: 1, handle)
            #expect(weight.isCopied)
            #expect(unsafe Fixtures.isZero(handle.bytes))
            try pool.deallocateTensor(id: 1, weight.handle)
            #expect(pool.statistics().liveTensors == 0)
        }
    }
}
