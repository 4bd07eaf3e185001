internal import Jemalloc

/// Timed allocations, by which the adaptive pool compares strategies.
extension Engine {
    /// What a use of a size costs here: a tensor from its allocation to its free where the thread's cache has none, times
    /// the share of this thread's allocations of the size that found none. In the standard strategy, whose freed pages go
    /// back to the system, the faults of its first use too.
    ///
    /// Of two pairs the second: the first one does not find the code in the processor's caches, which the program's own
    /// requests do. Until their frees they count as live, afterwards nowhere. Nil where there is no memory for them: none is
    /// asked of others.
    func timePair(byteCount: Int) -> TrialCost? {
        guard let cold = timePair(byteCount: byteCount, isMeasured: false),
            var cost = timePair(byteCount: byteCount, isMeasured: true)
        else { return nil }
        cost.spent += cold.spent
        return cost
    }

    private func timePair(byteCount: Int, isMeasured: Bool) -> TrialCost? {
        guard byteCount > 0, byteCount <= Self.maximumByteCount else { return nil }
        let request = BlockRequest(byteCount: byteCount, alignment: 64, zeroed: false, role: .activation)
        let bin = EngineFront.kind(byteCount, smallCeiling: smallCeiling).bin
        var pair = BinCounts(allocations: 1, frees: 1, misses: 0)
        var backendAllocations = 0
        var nanoseconds = 0.0
        var share = 1.0
        let served = withState { state -> Served in
            let cache = unsafe currentCache(&state)
            // What the first pair left to the thread would be a hit, and it is misses that the strategies differ in.
            if isMeasured, let cache = unsafe cache { unsafe state.emptySpanBinOfTrial(bin, cache) }
            if isMeasured { share = unsafe state.missShare(ofBin: bin, cache: cache) }
            let misses = unsafe state.misses(ofBin: bin, cache: cache)
            backendAllocations = state.backendAllocations
            let start = MonotonicClock.now()
            let served = unsafe state.allocate(request, cache: cache)
            nanoseconds = Double(MonotonicClock.now() - start)
            pair.misses = unsafe state.misses(ofBin: bin, cache: cache) - misses
            backendAllocations = state.backendAllocations - backendAllocations
            return served
        }
        guard case .block(let block) = served else { return nil }
        assert(!isMeasured || bin < CacheLayout.firstSpanBin || pair.misses == 1, "a trial timed a hit")
        // Where freed pages go back to the system, each use has them anew; where they are kept, none.
        let touch =
            isMeasured && strategy == .standard
            ? unsafe Filling.firstTouch(UnsafeMutableRawBufferPointer(start: block.address, count: byteCount))
            : TrialCost(nanoseconds: 0, spent: 0)
        withState { state in
            let cache = unsafe currentCache(&state)
            let start = MonotonicClock.now()
            unsafe state.free(block, byteCount: byteCount, cache: cache)
            nanoseconds += Double(MonotonicClock.now() - start)
            unsafe state.forget(pair, bin: bin, byteCount: byteCount, cache: cache)
            state.backendAllocations -= backendAllocations
        }
        let pairCost = max(0, nanoseconds - 2 * MonotonicClock.cost)
        return TrialCost(nanoseconds: share * (pairCost + touch.nanoseconds), spent: pairCost + touch.spent)
    }
}

extension EngineState {
    fileprivate mutating func emptySpanBinOfTrial(_ bin: Int, _ cache: ThreadCachePointer) {
        guard bin >= CacheLayout.firstSpanBin, unsafe cache.bin(bin).pointee.limit > 0 else { return }
        unsafe emptySpanBin(bin, cache)
    }

    /// Of the thread's allocations of a size so far, those that its cache could not serve; of spans, whose trials are misses.
    /// All where there was none: nothing speaks for hits yet.
    fileprivate func missShare(ofBin bin: Int, cache: ThreadCachePointer?) -> Double {
        guard bin >= CacheLayout.firstSpanBin, let bin = unsafe cache?.bin(bin).pointee, unsafe bin.allocations > 0
        else { return 1 }
        return unsafe Double(bin.misses) / Double(bin.allocations)
    }

    fileprivate func misses(ofBin bin: Int, cache: ThreadCachePointer?) -> Int {
        unsafe cache?.bin(bin).pointee.misses ?? sharedCounts[bin].misses
    }

    /// Takes back what was counted of a bin.
    fileprivate mutating func forget(_ counts: BinCounts, bin: Int, byteCount: Int, cache: ThreadCachePointer?) {
        if bin >= CacheLayout.firstSpanBin && byteCount <= TensorSizeCategory.verySmall.maximumByteCount {
            verySmallInGranules -= counts.allocations
        }
        if let cache = unsafe cache {
            unsafe cache.bin(bin).pointee.forget(counts)
        } else {
            sharedCounts[bin].allocations -= counts.allocations
            sharedCounts[bin].frees -= counts.frees
            sharedCounts[bin].misses -= counts.misses
        }
    }
}
