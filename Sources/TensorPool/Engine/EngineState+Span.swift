internal import CThreadSlot
internal import Jemalloc

/// Spans: from the thread's cache, then from the span heap (or, in a standard pool with fast reuse, an arena).
extension EngineState {
    mutating func allocateSpan(_ request: BlockRequest, cache: ThreadCachePointer?) -> Served {
        let granules = Granule.count(request.byteCount)
        let index = CacheLayout.spanBin(granules)
        if let cache = unsafe cache {
            let bin = unsafe cache.bin(index)
            if unsafe bin.keeps(granules) && !bin.pointee.isEmpty && request.alignment <= Granule.byteCount {
                let address = unsafe bin.pointee.pop()
                unsafe countAllocation(bin: index, byteCount: request.byteCount, cache: cache, missed: false)
                if request.zeroed { unsafe zero(address, request.byteCount) }
                return unsafe .block(Block(address: address, kind: .span(granules)))
            }
        }
        let served =
            configuration.usesSpanHeap
            ? unsafe allocateFromHeap(granules, request, cache: cache)
            : unsafe allocateSpanFromArena(granules, request, cache: cache)
        guard case .block(let block) = served else { return served }
        unsafe countAllocation(bin: index, byteCount: request.byteCount, cache: cache, missed: true)
        unsafe prefetch(block.address)
        return served
    }

    @inline(__always)
    mutating func freeSpan(
        _ address: UnsafeMutableRawPointer, _ kind: BlockKind, byteCount: Int, cache: ThreadCachePointer?
    ) {
        let granules = Granule.count(byteCount)
        unsafe countFree(bin: kind.bin, byteCount: byteCount, cache: cache)
        if unsafe !keepSpan(address, granules, kind, cache) { unsafe giveSpan(address, granules) }
    }

    /// Frees a span that no cache may keep. Then the heap is not small, so that it is the one the span is from: a standard
    /// pool's has nothing.
    @inline(__always)
    mutating func freeUnkeptSpan(
        _ address: UnsafeMutableRawPointer, _ kind: BlockKind, byteCount: Int, _ cache: ThreadCachePointer
    ) {
        assert(configuration.usesSpanHeap)
        unsafe cache.bin(of: kind).pointee.countFree()
        unsafe cache.noteFreed(byteCount)
        unsafe heap.give(address, Granule.count(byteCount))
    }

    /// Gives a span that no cache keeps back to where it came from.
    @inline(__always)
    mutating func giveSpan(_ address: UnsafeMutableRawPointer, _ granules: Int) {
        if configuration.usesSpanHeap {
            unsafe heap.give(address, granules)
        } else {
            unsafe Backend.free(address)
            arenaSpanBytes -= granules << Granule.shift
            unreserve(granules << Granule.shift)
        }
    }

    // MARK: - The heap below

    private mutating func allocateFromHeap(_ granules: Int, _ request: BlockRequest, cache: ThreadCachePointer?)
        -> Served
    {
        if let cache = unsafe cache {
            unsafe giveUpLoopSpan(cache)
        }
        var span = heap.fit(granules, alignment: request.alignment)
        var unbacked = span.map { heap.unbackedCount($0) } ?? granules
        // Before the heap holds more memory, what this thread keeps is joined and tried.
        if unbacked > 0, let cache = unsafe cache, unsafe emptySpanBins(cache) {
            span = heap.fit(granules, alignment: request.alignment)
            unbacked = span.map { heap.unbackedCount($0) } ?? granules
        }
        if span == nil {
            // No slab for what the limit will not let in.
            guard base.hasRoom(for: granules << Granule.shift) else {
                return .limitReached(needed: granules << Granule.shift)
            }
            let needed = (granules << Granule.shift) + (request.alignment > Granule.byteCount ? request.alignment : 0)
            guard addSlab(holding: needed) else { return .refused(needed: needed) }
            span = heap.fit(granules, alignment: request.alignment)
            unbacked = span.map { heap.unbackedCount($0) } ?? granules
        }
        guard let span = span else { return .refused(needed: granules << Granule.shift) }
        if unbacked > 0 {
            guard reserve(unbacked << Granule.shift) else {
                return .limitReached(needed: unbacked << Granule.shift)
            }
            backendAllocations += 1
            adviseHugePages(slab: span.slab, upTo: span.granules.upperBound)
        }
        heap.take(span)
        if request.zeroed {
            let end = unsafe span.address + request.byteCount
            unsafe heap.forEachWrittenRun(span) { start, length in
                unsafe zero(start, min(length, end - start))
            }
        }
        heap.markWritten(span)
        return unsafe .block(Block(address: span.address, kind: .span(granules)))
    }

    /// Gets a slab for at least `byteCount` bytes: the configured size, less where the system refuses that, more where
    /// one request needs it. False where even the bytes needed are refused.
    mutating func addSlab(holding byteCount: Int) -> Bool {
        let huge = SystemMemory.hugePageByteCount
        let needed = (byteCount + huge - 1) & -huge
        // Twice a request that is larger than a slab: one that grows step by step then stays where it is.
        let usual = max(configuration.slabByteCount, 2 * needed)
        guard let flags = flags(TensorSizeCategory(byteCount: byteCount)) else { return false }
        var size = (usual + huge - 1) & -huge
        while true {
            if heap.hasRoom(forSlabOf: size),
                let memory = unsafe Backend.allocate(size, flags.union([.alignment(huge), .zeroed]))
            {
                if unsafe heap.add(memory, byteCount: size) { return true }
                unsafe Backend.free(memory)
            }
            if size == needed { return false }
            size = max(needed, (size / 2 + huge - 1) & -huge)
        }
    }

    private mutating func allocateSpanFromArena(
        _ granules: Int, _ request: BlockRequest, cache: ThreadCachePointer?
    ) -> Served {
        if let cache = unsafe cache { unsafe cache.pointee.lastMissedBin = Int32(CacheLayout.spanBin(granules)) }
        let size = granules << Granule.shift
        guard let flags = flags(TensorSizeCategory(byteCount: size)) else { return .refused(needed: size) }
        guard reserve(size) else { return .limitReached(needed: size) }
        // A cached span serves any request up to this alignment, as one of the heap does.
        var all = flags.union(.alignment(max(request.alignment, Granule.byteCount)))
        if request.zeroed { all = all.union(.zeroed) }
        guard let memory = unsafe Backend.allocate(size, all) else {
            unreserve(size)
            return .refused(needed: size)
        }
        arenaSpanBytes += size
        backendAllocations += 1
        return unsafe .block(Block(address: memory, kind: .span(granules)))
    }

    func zero(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        unsafe Filling.fill(address, with: 0, byteCount: byteCount, vectorized: configuration.vectorizedFilling)
    }
}
