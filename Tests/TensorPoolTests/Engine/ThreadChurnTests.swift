import Testing

@testable import TensorPool

extension PoolTests {
    /// Threads that come and go leave nothing behind.
    struct ThreadChurnTests {
        @Test func tenThousandThreads() throws {
            let base = try HybridMemoryPool()
            let standard = try TensorMemoryPool(base)
            let optimized = try OptimizedTensorMemoryPool(base, configuration: .bare)
            func churn(_ count: Int) {
                for _ in 0..<count / 4 {
                    let threads = (0..<4).map { index in
                        SystemThread {
                            for byteCount in [100, 5000, 70_000] {
                                _ = try? standard.allocate(byteCount: byteCount)
                                _ = try? optimized.allocate(byteCount: byteCount)
                                if let handle = try? optimized.allocateTensor(id: 1, byteCount: byteCount) {
                                    try? optimized.deallocateTensor(id: 1, handle)
                                }
                            }
                            if index == 0 { drop(try! base.allocate(byteCount: 64)) }
                        }
                    }
                    for thread in threads { thread.join() }
                }
            }
            churn(400)
            let caches = Self.caches(base)
            let metadata = base.statistics().metadataBytes
            let reserved = base.reservedByteCount
            let resident = try found(SystemMemory.residentByteCount())
            churn(10_000)
            #expect(Self.caches(base) <= max(caches, 4 * 3))
            #expect(base.statistics().metadataBytes <= metadata + 16 * CacheLayout.byteCount)
            #expect(base.reservedByteCount <= reserved + 1 << 20)
            // 10,000 threads that each left a cache would be 60 MiB.
            #expect(try found(SystemMemory.residentByteCount()) < resident + 16 << 20)
            #expect(base.statistics().liveTensors == 0)
        }

        /// Caches of all engines of a base.
        private static func caches(_ base: HybridMemoryPool) -> Int {
            base.memory.engines().reduce(0) { sum, engine in
                sum + engine.withState { unsafe $0.caches.count }
            }
        }
    }
}
