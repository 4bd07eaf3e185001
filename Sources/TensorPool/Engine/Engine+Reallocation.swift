internal import Jemalloc
internal import Synchronization

/// Tensors that grow or shrink where they are.
extension Engine {
    /// Resizes a block of this engine in place. The kind it has then, or nil where it has to move. Nothing is changed in
    /// that case.
    func resize(_ block: Block, byteCount old: Int, to new: Int) -> BlockKind? {
        guard new > 0, new <= Self.maximumByteCount else { return nil }
        return withState { state in
            let cache = unsafe currentCache(&state)
            return unsafe state.resize(block, byteCount: old, to: new, cache: cache)
        }
    }

    /// Resizes the tensor of a handle in place, under a new generation of its record. Nil where it has to move.
    func resize(id: UInt64, _ handle: MemoryHandle, to new: Int) throws(TensorPoolError) -> MemoryHandle? {
        try withState { state throws(TensorPoolError) in
            try check(id: id, handle)
            let record = unsafe handle.record
            // Only the thread that owns the record can know that its hot path is not freeing the tensor now.
            guard let cache = unsafe currentCache(&state),
                unsafe RecordStatus.owner(of: handle.state) == cache.pointee.ordinal
            else { return nil }
            let claimed = handle.state - RecordStatus.live + RecordStatus.claimed
            guard
                unsafe record.pointee.state.compareExchange(
                    expected: handle.state, desired: claimed, ordering: .acquiringAndReleasing
                ).exchanged
            else { throw .freedTwice(tensorID: id) }
            let block = unsafe Block(address: handle.baseAddress, kind: handle.kind)
            guard unsafe state.records.prepare(record, byteCount: new, id: id),
                let kind = unsafe state.resize(block, byteCount: handle.byteCount, to: new, cache: cache)
            else {
                unsafe record.pointee.state.store(handle.state, ordering: .releasing)
                return nil
            }
            unsafe record.pointee.state.store(RecordStatus.freed(claimed), ordering: .relaxed)
            // The record was prepared for it.
            let generation = unsafe record.describe(byteCount: new, id: id, step: cache.pointee.recordStep)!
            return unsafe MemoryHandle(
                baseAddress: handle.baseAddress, byteCount: new, tensorID: id, record: record, state: generation,
                serial: serial, kind: kind)
        }
    }
}

extension EngineState {
    /// Resizes a block where it is: within its class or granules, into free granules behind it, by giving granules back,
    /// or as jemalloc can. The block's kind then, or nil and no change.
    mutating func resize(_ block: Block, byteCount old: Int, to new: Int, cache: ThreadCachePointer?) -> BlockKind? {
        guard !isClosed else { return nil }
        let kind = unsafe block.kind.withoutSample
        let isDone =
            switch kind {
            case _ where kind.isSpan && configuration.usesSpanHeap:
                new > configuration.smallCeiling
                    && (unsafe resizeSpan(block.address, Granule.count(old), to: Granule.count(new)))
            case .direct: unsafe resizeDirect(block.address, to: new)
            // A standard pool's cached spans, and weights, have sizes that others rely on.
            case _ where kind.isSmall:
                new <= configuration.smallCeiling && SizeClass.index(new) == kind.bin
            default: false
            }
        guard isDone else { return nil }
        if unsafe block.kind.isSampled { unsafe samples.died(block.address, now: MonotonicClock.now()) }
        let resized = kind.isSpan ? BlockKind.span(Granule.count(new)) : kind
        unsafe countFree(bin: Self.bin(kind, old), byteCount: old, cache: cache)
        unsafe countAllocation(bin: Self.bin(resized, new), byteCount: new, cache: cache, missed: false)
        return resized
    }

    /// The bin that a block of a kind is counted in.
    private static func bin(_ kind: BlockKind, _ byteCount: Int) -> Int {
        kind.isCacheable ? kind.bin : CacheLayout.spanBin(Granule.count(byteCount))
    }

    private mutating func resizeSpan(_ address: UnsafeMutableRawPointer, _ old: Int, to new: Int) -> Bool {
        if new <= old {
            if new < old { unsafe heap.giveEnd(address, old, keeping: new) }
            return true
        }
        guard let behind = unsafe heap.spanBehind(address, old, count: new - old) else { return false }
        let unbacked = heap.unbackedCount(behind)
        guard unbacked == 0 || reserve(unbacked << Granule.shift) else { return false }
        if unbacked > 0 {
            backendAllocations += 1
            adviseHugePages(slab: behind.slab, upTo: behind.granules.upperBound)
        }
        heap.take(behind)
        heap.markWritten(behind)
        return true
    }

    private mutating func resizeDirect(_ address: UnsafeMutableRawPointer, to new: Int) -> Bool {
        // A tensor that would be cached in its new size must not stay what it is.
        guard new > configuration.smallCeiling, configuration.spanCacheByteLimit == 0,
            let flags = flags(TensorSizeCategory(byteCount: new)), let needed = try? nallocx(new, flags)
        else { return false }
        let usable = unsafe sallocx(address, [])
        guard needed <= usable || reserve(needed - usable) else { return false }
        let got = unsafe Backend.resize(address, to: new) ?? usable
        // What was reserved and not got, or what was given back.
        unreserve(max(usable, needed) - got)
        directBytes += got - usable
        return got >= new
    }
}
