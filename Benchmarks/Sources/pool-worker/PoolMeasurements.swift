import CMeasurement
import TensorPool
import Workloads

/// What is asked of pools alone.
enum PoolMeasurements {
    /// Prints which shares of all allocations the thread's cache and the pool's own memory served.
    static func printHitRates(of pool: borrowing some TensorAllocator) {
        let statistics = pool.statistics()
        print("cache_hit_rate \(statistics.cacheHitRate)\nreuse_rate \(statistics.reuseRate)")
    }

    /// Prints the pool's own bytes beside those of so many live tensors.
    static func metadata<Element: Block & ~Copyable>(
        _ block: Element.Type, count: Int, byteCount: Int, on pool: Element.Source
    ) where Element.Source: TensorAllocator {
        let live = UnsafeMutablePointer<Element>.allocate(capacity: count)
        for index in 0..<count { unsafe (live + index).initialize(to: Element.allocate(byteCount, from: pool)) }
        let statistics = pool.statistics()
        print("metadata \(statistics.metadataBytes)\nlive \(statistics.liveBytes)")
        for index in 0..<count { unsafe (live + index).move().free(to: pool) }
        unsafe live.deallocate()
    }

    /// Prints the nanoseconds that it takes to make an optimized pool that is prewarmed by so many bytes.
    static func prewarm(byteCount: Int) {
        var configuration = OptimizedTensorPoolConfig()
        configuration.prewarming = OptimizedTensorPoolConfig.Prewarming(medium: 0, large: byteCount)
        do {
            let base = try HybridMemoryPool()
            let start = tpb_nanoseconds()
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            print("prewarm \(tpb_nanoseconds() - start)\nprewarmed \(pool.statistics().prewarmedBytes)")
        } catch {
            measurementFailed("\(error)")
        }
    }
}
