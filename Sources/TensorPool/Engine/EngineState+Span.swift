internal import CThreadSlot
internal import Jemalloc

/// Spans: from the thread's cache, then from the span heap (or, in a standard pool with fast reuse, an arena).
extension EngineState {
    mutating func allocateSpan(_ request: BlockRequest, cache: ThreadCachePointer?) -> Served {
        let granules = Granule.count(request.byteCount)
        let index = CacheLayout.spanBin(granules)
        if let cache = unsafe cache {
            unsafe adoptSize(granules, index, cache)
            let bin = unsafe cache.bin(index)
            if unsafe bin.pointee.count > 0 && request.alignment <= Granule.byteCount {
                unsafe bin.pointee.count -= 1
                let address = unsafe bin.pointee.entries[Int(bin.pointee.count)]
                unsafe countAllocation(bin: index, byteCount: request.byteCount, cache: cache, missed: false)
                if request.zeroed { unsafe zero(address, request.byteCount) }
                return unsafe .block(Block(address: address, kind: .span))
            }
        }
        let served =
            configuration.usesSpanHeap
            ? unsafe allocateFromHeap(granules, request, cache: cache)
            : allocateSpanFromArena(granules, request)
        guard case .block(let block) = served else { return served }
        unsafe countAllocation(bin: index, byteCount: request.byteCount, cache: cache, missed: true)
        for line in 0..<configuration.prefetchLines { unsafe tensorpool_prefetch_for_write(block.address + line * 64) }
        return served
    }

    mutating func freeSpan(_ address: UnsafeMutableRawPointer, byteCount: Int, cache: ThreadCachePointer?) {
        let granules = Granule.count(byteCount)
        let index = CacheLayout.spanBin(granules)
        unsafe countFree(bin: index, byteCount: byteCount, cache: cache)
        guard let cache = unsafe cache else {
            unsafe giveSpan(address, granules)
            return
        }
        unsafe adoptSize(granules, index, cache)
        let bin = unsafe cache.bin(index)
        if unsafe bin.pointee.count >= bin.pointee.limit { unsafe raiseSpanLimit(for: address, granules, index, cache) }
        guard unsafe bin.pointee.count < bin.pointee.limit else {
            unsafe giveSpan(address, granules)
            // The heap may have a lower place now than what a loop keeps.
            if unsafe cache.pointee.loopBin >= 0 { unsafe emptySpanBin(cache.pointee.loopBin, cache) }
            return
        }
        unsafe bin.pointee.entries[Int(bin.pointee.count)] = address
        unsafe bin.pointee.count += 1
    }

    /// Gives a span that no cache keeps back to where it came from.
    mutating func giveSpan(_ address: UnsafeMutableRawPointer, _ granules: Int) {
        if configuration.usesSpanHeap {
            unsafe heap.give(address, granules)
        } else if let flags = flags(TensorSizeCategory(byteCount: granules << Granule.shift)) {
            unsafe dallocx(address, flags)
            arenaSpanBytes -= granules << Granule.shift
            unreserve(granules << Granule.shift)
        }
    }

    // MARK: - The thread's span bins

    /// Makes a bin that several sizes share the bin of this size.
    private mutating func adoptSize(_ granules: Int, _ index: Int, _ cache: ThreadCachePointer) {
        let bin = unsafe cache.bin(index)
        guard unsafe bin.pointee.granules != granules else { return }
        unsafe emptySpanBin(index, cache)
        unsafe bin.pointee.granules = granules
    }

    /// Lets a bin keep one span more: within the thread's budget or, where that is used up or the span larger than it,
    /// as the bin of a loop. A loop shows itself by freeing a size right after the heap was asked for it; it must not
    /// leave the cache, however large its tensors are. The next request that goes to the heap ends it, for the heap
    /// packs best when it has all large spans; and only a span that the heap would hand out again at once is kept.
    private mutating func raiseSpanLimit(
        for address: UnsafeMutableRawPointer, _ granules: Int, _ index: Int, _ cache: ThreadCachePointer
    ) {
        let bin = unsafe cache.bin(index)
        let size = granules << Granule.shift
        let budget = configuration.spanCacheByteLimit
        guard budget > 0, unsafe Int(bin.pointee.limit) < bin.pointee.capacity else { return }
        let isLoop = unsafe cache.pointee.loopBin == index
        if unsafe !isLoop && cache.pointee.grantedSpanBytes + size <= budget {
            unsafe cache.pointee.grantedSpanBytes += size
        } else if unsafe cache.pointee.lastMissedBin == index, unsafe isLowest(address, granules) {
            if !isLoop {
                if unsafe cache.pointee.loopBin >= 0 { unsafe emptySpanBin(cache.pointee.loopBin, cache) }
                unsafe cache.pointee.grantedSpanBytes -= Int(bin.pointee.limit) * size
                unsafe cache.pointee.loopBin = index
            }
        } else {
            return
        }
        unsafe bin.pointee.limit += 1
    }

    /// Whether the heap has no lower place for such a span.
    private mutating func isLowest(_ address: UnsafeMutableRawPointer, _ granules: Int) -> Bool {
        // What the heap handed out last, and nothing came back since, it would hand out again.
        if unsafe !configuration.usesSpanHeap || heap.lastTaken == address { return true }
        guard let lower = heap.lowestFit(granules, alignment: Granule.byteCount) else {
            return true
        }
        return unsafe lower.address > address
    }

    /// Gives all spans of a bin back and takes its right to keep any.
    mutating func emptySpanBin(_ index: Int, _ cache: ThreadCachePointer) {
        let bin = unsafe cache.bin(index)
        unsafe flushSpanBin(index, cache)
        if unsafe cache.pointee.loopBin == index {
            unsafe cache.pointee.loopBin = -1
        } else {
            unsafe cache.pointee.grantedSpanBytes -= Int(bin.pointee.limit) * bin.pointee.granules << Granule.shift
        }
        unsafe bin.pointee.limit = 0
    }

    /// Gives all spans of a bin back. Returns how many.
    @discardableResult
    mutating func flushSpanBin(_ index: Int, _ cache: ThreadCachePointer) -> Int {
        let bin = unsafe cache.bin(index)
        let count = unsafe Int(bin.pointee.count)
        for entry in 0..<count { unsafe giveSpan(bin.pointee.entries[entry], bin.pointee.granules) }
        unsafe bin.pointee.count = 0
        return count
    }

    /// Gives all cached spans of a thread back. Returns how many.
    @discardableResult
    mutating func flushSpans(_ cache: ThreadCachePointer) -> Int {
        var count = 0
        for index in CacheLayout.firstSpanBin..<CacheLayout.recordBin { unsafe count += flushSpanBin(index, cache) }
        return count
    }

    // MARK: - The heap below

    private mutating func allocateFromHeap(_ granules: Int, _ request: BlockRequest, cache: ThreadCachePointer?)
        -> Served
    {
        if let cache = unsafe cache {
            unsafe cache.pointee.lastMissedBin = CacheLayout.spanBin(granules)
            if unsafe cache.pointee.loopBin >= 0 { unsafe emptySpanBin(cache.pointee.loopBin, cache) }
        }
        var span = heap.lowestFit(granules, alignment: request.alignment)
        var unbacked = span.map { heap.unbackedCount($0) } ?? granules
        // Before the heap holds more memory, what this thread keeps is joined and tried.
        if unbacked > 0, let cache = unsafe cache, unsafe flushSpans(cache) > 0 {
            span = heap.lowestFit(granules, alignment: request.alignment)
            unbacked = span.map { heap.unbackedCount($0) } ?? granules
        }
        if span == nil {
            // No slab for what the limit will not let in.
            guard base.hasRoom(for: granules << Granule.shift) else {
                return .limitReached(needed: granules << Granule.shift)
            }
            let needed = (granules << Granule.shift) + (request.alignment > Granule.byteCount ? request.alignment : 0)
            guard addSlab(holding: needed) else { return .refused(needed: needed) }
            span = heap.lowestFit(granules, alignment: request.alignment)
            unbacked = span.map { heap.unbackedCount($0) } ?? granules
        }
        guard let span = span else { return .refused(needed: granules << Granule.shift) }
        if unbacked > 0 {
            guard reserve(unbacked << Granule.shift) else {
                return .limitReached(needed: unbacked << Granule.shift)
            }
            backendAllocations += 1
        }
        heap.take(span)
        if request.zeroed {
            let end = unsafe span.address + request.byteCount
            unsafe heap.forEachWrittenRun(span) { start, length in
                unsafe zero(start, min(length, end - start))
            }
        }
        heap.markWritten(span)
        return unsafe .block(Block(address: span.address, kind: .span))
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
                let memory = unsafe try? mallocx(size, flags.union([.alignment(huge), .zeroed]))
            {
                if configuration.hugePages == .automatic { unsafe SystemMemory.adviseHugePages(memory, size) }
                unsafe heap.add(memory, byteCount: size)
                return true
            }
            if size == needed { return false }
            size = max(needed, (size / 2 + huge - 1) & -huge)
        }
    }

    private mutating func allocateSpanFromArena(_ granules: Int, _ request: BlockRequest) -> Served {
        let size = granules << Granule.shift
        guard let flags = flags(TensorSizeCategory(byteCount: size)) else { return .refused(needed: size) }
        guard reserve(size) else { return .limitReached(needed: size) }
        // A cached span serves any request up to this alignment, as one of the heap does.
        var all = flags.union(.alignment(max(request.alignment, Granule.byteCount)))
        if request.zeroed { all = all.union(.zeroed) }
        guard let memory = unsafe try? mallocx(size, all) else {
            unreserve(size)
            return .refused(needed: size)
        }
        arenaSpanBytes += size
        backendAllocations += 1
        return unsafe .block(Block(address: memory, kind: .span))
    }

    func zero(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        unsafe Filling.fill(address, with: 0, byteCount: byteCount, vectorized: configuration.vectorizedFilling)
    }
}
