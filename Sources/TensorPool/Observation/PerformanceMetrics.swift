/// How well a pool serves its workload.
public struct PerformanceMetrics: Sendable, Hashable {
    /// The share of allocations served without new memory, from jemalloc or the system, 0 to 1.
    public let reuseRate: Double
    /// The share of allocations served by the calling thread's own cache, 0 to 1.
    public let cacheEfficiency: Double
    /// Nanoseconds of an average allocation: the averages of sampled hits and of sampled misses, weighted by how often
    /// each happens. Of a size by a thread the 2,048th, 4,096th, 8,192nd and 16,384th allocation are sampled and then one in
    /// 16,384 (one in 2,048 with guard pages or ``OptimizedTensorPoolConfig/enableStatisticalAnalysis``), so that rare sizes
    /// weigh more than their share; of what the cold path serves, one in 64. The clock's own cost is taken off. Nil before
    /// the first sample.
    public let averageAllocationNanoseconds: Double?
    /// Nanoseconds of a sampled hit, on average; nil before the first. A clock of that grain sees single calls, so
    /// figures below ``clockNanoseconds`` mean "a few nanoseconds".
    public let hitNanoseconds: Double?
    /// Nanoseconds of a sampled miss, on average; nil before the first.
    public let missNanoseconds: Double?
    /// How many samples the times rest on.
    public let sampleCount: Int
    /// What reading the clock twice costs on this machine in nanoseconds: taken off every sample.
    public let clockNanoseconds: Double
    /// Counts and bytes.
    public let statistics: PoolStatistics
}

extension ObservablePool {
    /// How well the pool serves its workload, as of now.
    ///
    /// Cost: that of ``TensorAllocator/statistics()``.
    public func performanceMetrics() -> PerformanceMetrics {
        let statistics = statistics()
        let samples = engines.all.map { $0.samples() }
        let hits = samples.reduce(into: AllocationSamples.Timing()) { $0.add($1.hit) }
        let misses = samples.reduce(into: AllocationSamples.Timing()) { $0.add($1.miss) }
        let growths = samples.reduce(into: AllocationSamples.Timing()) { $0.add($1.growth) }
        let grown = min(statistics.backendAllocations, statistics.allocations - statistics.cacheHits)
        let missed = statistics.allocations - statistics.cacheHits - grown
        // A path without a sample was hardly taken and is left out.
        let weighed = [(hits, statistics.cacheHits), (misses, missed), (growths, grown)].filter { $0.0.count > 0 }
        let weight = weighed.reduce(0) { $0 + $1.1 }
        let average = weight > 0 ? weighed.reduce(0) { $0 + $1.0.average * Double($1.1) } / Double(weight) : nil
        return PerformanceMetrics(
            reuseRate: statistics.reuseRate, cacheEfficiency: statistics.cacheHitRate,
            averageAllocationNanoseconds: average, hitNanoseconds: hits.count > 0 ? hits.average : nil,
            missNanoseconds: misses.count > 0 ? misses.average : nil,
            sampleCount: hits.count + misses.count + growths.count,
            clockNanoseconds: MonotonicClock.cost, statistics: statistics)
    }
}

extension AdaptiveTensorMemoryPool {
    /// The average nanoseconds and the number of allocations of each strategy: the guide's performance statistics.
    public func performanceStatistics() -> (
        standardNanoseconds: Double?, optimizedNanoseconds: Double?, standardCount: Int, optimizedCount: Int
    ) {
        let given = standard.performanceMetrics()
        let kept = optimized.performanceMetrics()
        return (
            given.averageAllocationNanoseconds, kept.averageAllocationNanoseconds, given.statistics.allocations,
            kept.statistics.allocations
        )
    }
}
