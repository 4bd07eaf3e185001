/// Which freed spans a thread keeps for itself.
///
/// Keeping spans saves a visit to the heap, and costs memory: what is kept cannot be joined with its neighbours, and what
/// is handed out of the cache may lie where the heap would not have put it. While the heap is small that is a few
/// megabytes at worst, so a thread keeps up to four spans of a size within its budget. In a larger heap it keeps one: the
/// one that the heap handed out last, and would hand out again, so that a loop over one tensor never leaves the cache,
/// however large that is; and only until the thread asks the heap for another, which packs best when it has all of them.
///
/// Measured on the bundled traces (granules ever touched over the peak of live bytes, geometric mean, simulated,
/// 2026-11-30): 1.12; keeping the last span of up to 256 KiB too 1.15, for a sixth of the allocations of gpt2_decode
/// and resnet50_infer that are above 14 KiB; one of each size within 1 MiB 1.17, within 4 MiB 1.26.
extension EngineState {
    /// Backed granules up to which a heap is small: 16 MiB.
    private static let smallHeapGranules = 1024
    /// Granules up to which a standard pool keeps the span freed last whatever it is: 256 KiB.
    private static let smallSpanGranules = 16

    @inline(__always) private var isHeapSmall: Bool { heap.backedGranules <= Self.smallHeapGranules }

    /// Whether a thread might keep the span at an address that is freed: in a small heap any, else that of a loop. Of a
    /// standard pool, whose spans come from arenas, the heap has nothing and is small.
    @inline(__always)
    func mayKeep(_ address: UnsafeMutableRawPointer) -> Bool { unsafe isHeapSmall || isOfLoop(address) }

    /// Whether a span is the one that the heap handed out last.
    @inline(__always)
    private func isOfLoop(_ address: UnsafeMutableRawPointer) -> Bool {
        unsafe UInt(bitPattern: heap.lastTaken) == UInt(bitPattern: address)
    }

    /// Keeps a span that is freed, if it may, in the bin of its kind. False where it is to go back.
    @inline(__always)
    mutating func keepSpan(
        _ address: UnsafeMutableRawPointer, _ granules: Int, _ kind: BlockKind, _ cache: ThreadCachePointer?
    ) -> Bool {
        guard unsafe mayKeep(address), let cache = unsafe cache else { return false }
        return unsafe keepSpan(address, granules, kind.bin, isOfLoop: isOfLoop(address), cache)
    }

    @inline(never)
    private mutating func keepSpan(
        _ address: UnsafeMutableRawPointer, _ granules: Int, _ index: Int, isOfLoop: Bool, _ cache: ThreadCachePointer
    ) -> Bool {
        let bin = unsafe cache.bin(index)
        if unsafe !bin.keeps(granules) {
            unsafe emptySpanBin(index, cache)
            unsafe bin.pointee.granules = UInt32(clamping: granules)
        }
        if unsafe bin.pointee.isFull {
            if unsafe mayKeepMore(granules, index, cache) {
                unsafe cache.pointee.grantedSpanBytes &+= granules &<< Granule.shift
                unsafe bin.pointee.limit &+= 1
            } else if unsafe mayKeepLast(granules, index, isOfLoop: isOfLoop, cache) {
                unsafe giveUpLoopSpan(cache)
                unsafe cache.pointee.lastBin = Int32(truncatingIfNeeded: index)
                unsafe bin.pointee.open()
            } else {
                return false
            }
        }
        unsafe bin.pointee.push(address)
        return true
    }

    /// Whether a full bin may keep one more within the thread's budget: in a small heap.
    private func mayKeepMore(_ granules: Int, _ index: Int, _ cache: ThreadCachePointer) -> Bool {
        guard isHeapSmall else { return false }
        return unsafe cache.bin(index).pointee.limit < CacheLayout.spanBinCapacity
            && cache.pointee.grantedSpanBytes &+ granules &<< Granule.shift <= configuration.spanCacheByteLimit
    }

    /// Whether a bin that keeps nothing may keep the span that is freed last: one of a loop. In a standard pool, whose
    /// misses are calls of jemalloc, any small one too, and a large one if its size was missed last.
    private func mayKeepLast(_ granules: Int, _ index: Int, isOfLoop: Bool, _ cache: ThreadCachePointer) -> Bool {
        guard configuration.spanCacheByteLimit > 0, unsafe cache.bin(index).pointee.limit == 0 else { return false }
        if configuration.usesSpanHeap { return isOfLoop }
        return unsafe granules <= Self.smallSpanGranules || Int(cache.pointee.lastMissedBin) == index
    }

    /// Gives up the span that is kept beyond the budget, if there is any: another takes its place, or the span heap is asked.
    @inline(__always)
    mutating func giveUpLoopSpan(_ cache: ThreadCachePointer) {
        let last = unsafe Int(cache.pointee.lastBin)
        if last >= 0 { unsafe emptySpanBin(last, cache) }
    }

    // MARK: - Threads that share the heap

    /// Takes more spans of a size whose bin is empty, for the thread's next requests: threads that wait for each other at
    /// the lock do better to come seldom.
    mutating func refillShared(_ kind: BlockKind, _ granules: Int, _ cache: ThreadCachePointer) {
        guard granules <= CacheLayout.sharedModeSpans else { return }
        let bin = unsafe cache.bin(of: kind)
        guard unsafe bin.pointee.isEmpty else { return }
        unsafe raiseShared(kind.bin, granules, cache)
        let wanted = unsafe bin.pointee.limit / 2
        var taken = 0
        while taken < wanted, let address = unsafe heap.takeUsed(granules) {
            unsafe bin.pointee.entries[taken] = unsafe address
            taken += 1
        }
        if taken > 0 { unsafe bin.pointee.fill(taken) }
    }

    /// Keeps a freed span of a thread that shares the heap; of a full bin the older half goes. False where it may not stay.
    mutating func keepShared(
        _ address: UnsafeMutableRawPointer, _ kind: BlockKind, byteCount: Int, _ cache: ThreadCachePointer
    ) -> Bool {
        let granules = Granule.count(byteCount)
        guard configuration.usesSpanHeap && granules <= CacheLayout.sharedModeSpans else { return false }
        let bin = unsafe cache.bin(of: kind)
        if unsafe bin.pointee.isFull { unsafe raiseShared(kind.bin, granules, cache) }
        if unsafe bin.pointee.isFull {
            let keeping = unsafe bin.pointee.limit / 2
            unsafe bin.pointee.rearrange { entries, count in
                guard count > keeping else { return count }
                for entry in 0..<count - keeping { unsafe giveSpan(entries[entry], granules) }
                unsafe entries.update(from: entries + (count - keeping), count: keeping)
                return keeping
            }
        }
        guard unsafe !bin.pointee.isFull else { return false }
        unsafe bin.pointee.push(address)
        return true
    }

    /// How many times its usual budget a thread may keep that shares the heap. Two threads that replace random blocks of 1
    /// to 128 KiB (the benchmark's churn) took 65 ms with one, 30 with four, 32 with sixteen times 1 MiB, and 45 MiB of
    /// resident memory with four in place of 43 (2-core x86-64 VM, 2026-11-30).
    private static let sharedModeFactor = 4

    /// Doubles how many spans of a size a thread may keep, as long as its byte budget allows.
    private mutating func raiseShared(_ index: Int, _ granules: Int, _ cache: ThreadCachePointer) {
        let bin = unsafe cache.bin(index)
        let size = granules << Granule.shift
        let limit = unsafe bin.pointee.limit
        let budget = Self.sharedModeFactor * configuration.spanCacheByteLimit
        let room = unsafe max(0, budget - cache.pointee.grantedSpanBytes) / size
        let raised = unsafe min(max(2 * limit, 2), limit + room, bin.pointee.capacity)
        guard raised > limit else { return }
        unsafe cache.pointee.grantedSpanBytes += (raised - limit) * size
        unsafe bin.pointee.limit = raised
    }

    /// Gives all spans of a bin back and takes its right to keep any.
    @inline(never)
    mutating func emptySpanBin(_ index: Int, _ cache: ThreadCachePointer) {
        let bin = unsafe cache.bin(index)
        let granules = unsafe Int(bin.pointee.granules)
        if unsafe bin.pointee.limit == 1 && Int(cache.pointee.lastBin) == index {
            unsafe cache.pointee.lastBin = -1
            if let span = unsafe bin.pointee.close() { unsafe giveSpan(span, granules) }
            return
        }
        unsafe bin.pointee.rearrange { entries, count in
            for entry in 0..<count { unsafe giveSpan(entries[entry], granules) }
            return 0
        }
        var granted = unsafe bin.pointee.limit
        // The one beyond the budget; in a heap that became small others may have been granted to the same bin.
        if unsafe Int(cache.pointee.lastBin) == index {
            unsafe cache.pointee.lastBin = -1
            granted -= 1
        }
        unsafe cache.pointee.grantedSpanBytes -= granted * granules << Granule.shift
        unsafe bin.pointee.limit = 0
    }

    /// Gives all cached spans of a thread back. Returns whether there were any.
    mutating func emptySpanBins(_ cache: ThreadCachePointer) -> Bool {
        var any = false
        for index in CacheLayout.firstSpanBin..<CacheLayout.recordBin where unsafe cache.bin(index).pointee.limit > 0 {
            unsafe any = any || cache.bin(index).pointee.count > 0
            unsafe emptySpanBin(index, cache)
        }
        return any
    }

    /// Takes back what a thread was granted while the heap was small, or while threads took turns at it.
    mutating func boundSpanBins(_ cache: ThreadCachePointer) {
        let granted = unsafe cache.pointee.grantedSpanBytes
        guard !isShared, granted > 0, !isHeapSmall || granted > configuration.spanCacheByteLimit else { return }
        unsafe _ = emptySpanBins(cache)
    }
}
