import CMeasurement
import Jemalloc
import TensorPool
import Workloads

/// What is asked of pools alone.
enum PoolMeasurements {
    /// Prints which shares of all allocations the thread's cache and the pool's own memory served.
    static func printHitRates(of pool: borrowing some TensorAllocator) {
        let statistics = pool.statistics()
        print("cache_hit_rate \(statistics.cacheHitRate)\nreuse_rate \(statistics.reuseRate)")
    }

    /// Prints the bytes that this thread allocated of the process's heap, where Swift's objects lie, during hot pairs.
    static func heapGuard<Element: Block & ~Copyable>(
        _ block: Element.Type, sizes: [Int], on pool: Element.Source
    ) {
        do {
            // In a process that links jemalloc all of malloc is counted here.
            let allocated = try ControlKey<UInt64>("thread.allocated")
            for byteCount in sizes {
                _ = HotPair<Element>.chunk(of: 10_000, byteCount: byteCount, on: pool)
                // Reading takes a little itself: what no pairs take is taken off.
                let start = try allocated.read()
                _ = HotPair<Element>.chunk(of: 0, byteCount: byteCount, on: pool)
                let middle = try allocated.read()
                _ = HotPair<Element>.chunk(of: 100_000, byteCount: byteCount, on: pool)
                let end = try allocated.read()
                print("heap \(byteCount) \(Int(end - middle) - Int(middle - start))")
            }
        } catch {
            measurementFailed("\(error)")
        }
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
