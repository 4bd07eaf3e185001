import TensorPool

/// What a pool of this package tells of a replay on it.
struct PoolFigures: Codable, Equatable {
    /// Nanoseconds to make the base and the pool, without prewarming.
    let constructionNanoseconds: Double
    let constructionResidentBytes: Int
    /// Nanoseconds that the default configuration's prewarming took on top.
    let prewarmNanoseconds: Double
    let prewarmResidentBytes: Int
    /// Over the rounds after the first, or over the only one: the share of allocations served without new memory.
    let reuseRate: Double
    /// Over the same rounds: the share of allocations served by the thread's own cache.
    let cacheHitRate: Double
    /// What the pool holds after the last round: live, padding, cached and prewarmed bytes.
    let reservedBytes: Int

    init(construction: ConstructionCost, first: PoolStatistics, last: PoolStatistics) {
        constructionNanoseconds = construction.nanoseconds
        constructionResidentBytes = construction.residentBytes
        prewarmNanoseconds = construction.prewarmNanoseconds
        prewarmResidentBytes = construction.prewarmResidentBytes
        let rates = last.rates(since: first)
        reuseRate = rates.reuse
        cacheHitRate = rates.cacheHit
        reservedBytes = last.reservedBytes
    }
}

extension PoolStatistics {
    /// The shares of the allocations since an earlier moment that needed no new memory, and that the thread's own
    /// cache served. 0 where there were none.
    func rates(since earlier: PoolStatistics) -> (reuse: Double, cacheHit: Double) {
        let allocated = allocations - earlier.allocations
        guard allocated > 0 else { return (0, 0) }
        // One allocation may need new memory more than once: a slab beside its pages.
        let renewed = min(allocated, backendAllocations - earlier.backendAllocations)
        return (
            1 - Double(renewed) / Double(allocated), Double(cacheHits - earlier.cacheHits) / Double(allocated)
        )
    }
}
