import Testing

@testable import TensorPool

extension PoolTests {
    struct EngineRegistryTests {
        @Test func aPoolThatFailsToPrewarmLeavesItsNumberOnce() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 1 << 20))
            for _ in 0..<3 {
                let error = refusal { () throws(TensorPoolError) in _ = try OptimizedTensorMemoryPool(base) }
                guard case .limitReached = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
            #expect(base.reservedByteCount == 0)
            let pools = try (0..<8).map { _ in try TensorMemoryPool(base) }
            #expect(Set(pools.map(\.front.number)).count == pools.count, "each pool has a number of its own")
        }

        @Test func thereAreAsManyPoolsAsTheTableHasPlaces() throws {
            let base = try HybridMemoryPool()
            for _ in 0..<2 {
                var pools: [TensorMemoryPool] = []
                var error: TensorPoolError?
                while error == nil && pools.count <= EngineRegistry.capacity {
                    error = refusal { () throws(TensorPoolError) in pools.append(try TensorMemoryPool(base)) }
                }
                #expect(error == .tooManyPools(maximum: EngineRegistry.capacity))
                #expect(pools.count > EngineRegistry.capacity / 2)
                #expect(Set(pools.map(\.front.number)).count == pools.count)
                #expect(Set(pools.map(\.front.serial)).count == pools.count)
                // The last one works as well as the first.
                for pool in [pools.first, pools.last] {
                    let buffer = try #require(pool).own(1000)
                    buffer.fill(7)
                    #expect(buffer.holds(7))
                }
                let again = refusal { () throws(TensorPoolError) in _ = try OptimizedTensorMemoryPool(base) }
                #expect(again == error)
                pools = []
                #expect(base.reservedByteCount == 0)
            }
        }

        /// Statistics and trims keep every thread out of its cache by emptying its entry; a thread that exits at that
        /// very moment must still leave.
        @Test func aThreadLeavesWhileItIsKeptOut() throws {
            let base = try HybridMemoryPool()
            let pool = try TensorMemoryPool(base)
            let engine = pool.front.engine
            let ready = Gate()
            let go = Gate()
            let left = Gate()
            let thread = SystemThread {
                guard let buffer = try? pool.allocate(byteCount: 4096) else { return }
                drop(buffer)
                ready.open()
                go.wait()
            }
            ready.wait()
            let watcher = SystemThread {
                thread.join()
                left.open()
            }
            engine.withState { state in
                unsafe engine.quiesce(&state) { _, _ in
                    go.open()
                    // Nothing holds the thread up that forgets to ask for the lock.
                    _ = left.wait(seconds: 0.2)
                }
            }
            watcher.join()
            let owned = engine.withState { state in
                unsafe state.caches.count { unsafe $0.pointee.owner != nil }
            }
            #expect(owned == 0, "no cache names a thread that is gone")
            #expect(pool.statistics().liveTensors == 0)
        }

        @Test func oddSizesAreRefusedByAWarmThread() throws {
            let base = try HybridMemoryPool()
            let standard = try TensorMemoryPool(base)
            let optimized = try OptimizedTensorMemoryPool(base, configuration: .bare)
            func check(_ pool: some TensorAllocator) throws {
                // Warm: the thread has a cache, so the size reaches the hot path.
                for byteCount in [1, 4096, 100_000, 3 << 20] { drop(try pool.allocate(byteCount: byteCount)) }
                for byteCount in [0, -1, -16_384, -1 << 20, -1 << 40, Int.min, Int.min + 1] {
                    #expect(pool.refusedBuffer(byteCount) == .invalidByteCount(byteCount))
                    #expect(pool.refusedTensor(byteCount) == .invalidByteCount(byteCount))
                }
                let maximum = Engine.maximumByteCount
                for byteCount in [maximum + 1, Int.max - 16_384, Int.max] {
                    let expected = TensorPoolError.byteCountTooLarge(byteCount: byteCount, maximum: maximum)
                    #expect(pool.refusedBuffer(byteCount) == expected)
                    #expect(pool.refusedTensor(byteCount) == expected)
                }
            }
            try check(base)
            try check(standard)
            try check(optimized)
        }
    }
}
