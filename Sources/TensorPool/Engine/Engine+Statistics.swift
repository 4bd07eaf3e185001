/// Figures, and memory given back on request.
extension Engine {
    /// Figures of this moment, with every thread kept out of its cache while they are taken.
    func statistics() -> PoolStatistics {
        withState { state in exclude(&state) { $0.statistics(strategy) } }
    }

    /// What sampled allocations told so far.
    func samples() -> AllocationSamples { withState { $0.samples } }

    /// Gives up all that no tensor uses: every thread's cache, the depot, free spans. Returns the reserved bytes given up.
    func returnIdle() -> Int {
        let returned = withState { state in
            let before = state.reservedBytes
            unsafe quiesce(&state) { state, cache in unsafe state.empty(cache) }
            state.returnIdleMemory()
            return before - state.reservedBytes
        }
        base.purge()
        deliverFindings()
        return returned
    }
}

extension EngineState {
    /// The figures. No thread is in its cache.
    func statistics(_ strategy: AllocationStrategy) -> PoolStatistics {
        var result = PoolStatistics()
        var smallInUse = 0
        var smallCached = 0
        var spansCached = 0
        for index in 0..<CacheLayout.recordBin {
            var allocations = sharedCounts[index].allocations
            var frees = sharedCounts[index].frees
            var misses = sharedCounts[index].misses
            for place in unsafe caches.indices {
                let cache = unsafe caches[place]
                let bin = unsafe cache.bin(index)
                unsafe allocations += bin.pointee.allocations
                unsafe frees += bin.pointee.frees
                unsafe misses += bin.pointee.misses
                let count = unsafe bin.pointee.count
                if index < SizeClass.count {
                    smallCached += count * SizeClass.byteCount(index)
                } else {
                    unsafe spansCached += count * Int(bin.pointee.granules) << Granule.shift
                }
            }
            if index < SizeClass.count { smallInUse += (allocations - frees) * SizeClass.byteCount(index) }
            guard allocations > 0, let category = CacheLayout.category(ofBin: index) else { continue }
            result.allocations += allocations
            result.deallocations += frees
            result.cacheHits += allocations - misses
            result.allocationsByCategory[category, default: 0] += allocations
        }
        if verySmallInGranules > 0 {
            result.allocationsByCategory[.small, default: 0] -= verySmallInGranules
            if result.allocationsByCategory[.small] == 0 { result.allocationsByCategory[.small] = nil }
            result.allocationsByCategory[.verySmall, default: 0] += verySmallInGranules
        }
        let spansOut = heap.takenGranules << Granule.shift + arenaSpanBytes
        let inUse = smallInUse + spansOut - spansCached + directBytes + weights.countedBytes
        let heapFree = (heap.backedGranules - heap.takenGranules) << Granule.shift
        let heapPrewarmed = heap.prewarmedGranules << Granule.shift
        result.liveBytes = liveBytes
        result.peakLiveBytes = peakLiveBytes
        result.paddingBytes = inUse - liveBytes
        result.prewarmedBytes = heapPrewarmed + depot.prewarmedByteCount
        result.everPrewarmedBytes = everPrewarmedBytes
        result.prewarmNanoseconds = Int(clamping: prewarmNanoseconds)
        result.cachedBytes =
            smallCached + spansCached + depot.byteCount + heapFree - result.prewarmedBytes
            + (guards?.quarantinedByteCount ?? 0)
        result.reservedBytes = reservedBytes
        result.metadataBytes =
            unsafe records.byteCount + depot.metadataByteCount + heap.metadataByteCount
            + caches.count * CacheLayout.byteCount
        result.allocations += weightAllocations
        result.deallocations += weightFrees
        result.weightAllocations = weightAllocations
        result.liveTensors = result.allocations - result.deallocations
        result.backendAllocations = backendAllocations
        result.absorbedFrees = absorbedFrees
        if result.allocations > 0 { result.allocationsByStrategy[strategy] = result.allocations }
        return result
    }
}
