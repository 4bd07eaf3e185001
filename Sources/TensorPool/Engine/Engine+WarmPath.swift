internal import CThreadSlot
internal import Synchronization

/// What the thread's cache cannot serve or keep, served and kept by what the engine has at hand: blocks of the depot, and
/// free granules that were in use before. Most misses of a steady workload end here, so this path is short: a lock that is
/// biased to the thread, a look at the lists of free runs, a few counts. Whatever is out of the ordinary is left to the cold
/// path in `Engine+Blocks.swift`: memory to be got from an arena, limits, samples, inboxes, sweeps, zeroing. No block has
/// been taken and nothing counted by then; only the thread's cache may have given a span back.
extension Engine {
    /// A block for a plain request of the thread's, or nil.
    @usableFromInline @inline(never)
    func takeWarm(_ byteCount: Int) -> Block? {
        guard byteCount > 0, byteCount <= Self.maximumByteCount, let cache = unsafe ownCache else { return nil }
        if byteCount <= smallCeiling {
            let kind = EngineFront.kind(byteCount, smallCeiling: smallCeiling)
            let isBiased = unsafe lock.lock(cache)
            let address = unsafe state.pointee.takeWarmSmall(kind.bin, byteCount: byteCount, cache)
            unsafe lock.unlock(cache, isBiased: isBiased)
            return unsafe address.map { unsafe Block(address: $0, kind: kind) }
        }
        let granules = Granule.count(byteCount)
        let index = CacheLayout.spanBin(granules)
        let isBiased = unsafe lock.lock(cache)
        let address = unsafe state.pointee.takeWarmSpan(granules, index, byteCount: byteCount, cache)
        unsafe lock.unlock(cache, isBiased: isBiased)
        guard let address = unsafe address else { return nil }
        return unsafe Block(address: address, kind: BlockKind(bin: index))
    }

    /// Takes a block back. False where the cold path has to.
    @inline(__always)
    func giveWarm(_ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind, _ cache: ThreadCachePointer)
        -> Bool
    {
        let isBiased = unsafe lock.lock(cache)
        defer { unsafe lock.unlock(cache, isBiased: isBiased) }
        guard unsafe kind.isCacheable && state.pointee.isOrdinary(cache) else { return false }
        unsafe state.pointee.giveWarm(address, byteCount: byteCount, kind: kind, cache)
        return true
    }

    /// Takes back the block of a live handle that this thread allocated. False where the cold path has to.
    @inline(__always)
    private func giveWarm(_ handle: MemoryHandle) -> Bool {
        guard handle.kind.isCacheable, let cache = unsafe ownCache else { return false }
        let isBiased = unsafe lock.lock(cache)
        defer { unsafe lock.unlock(cache, isBiased: isBiased) }
        let record = unsafe handle.record
        // Who claims another thread's record does it under the lock.
        guard unsafe state.pointee.isOrdinary(cache),
            unsafe record.pointee.state.load(ordering: .relaxed) == handle.state,
            unsafe handle.state & RecordStatus.markMask == cache.pointee.recordMark
        else { return false }
        unsafe record.pointee.state.store(handle.state &- RecordStatus.live, ordering: .relaxed)
        unsafe state.pointee.putRecord(record, cache: cache)
        unsafe state.pointee.giveWarm(handle.baseAddress, byteCount: handle.byteCount, kind: handle.kind, cache)
        return true
    }

    /// Frees the tensor of a handle that the hot path did not free.
    @usableFromInline @inline(never)
    func returnHandle(
        id: UInt64, _ baseAddress: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64,
        record: BlockRecordPointer, state: UInt64, serial: UInt64, kind: BlockKind
    ) throws(TensorPoolError) {
        let handle = unsafe MemoryHandle(
            baseAddress: baseAddress, byteCount: byteCount, tensorID: tensorID, record: record, state: state,
            serial: serial, kind: kind)
        if serial == self.serial && tensorID == id && giveWarm(handle) { return }
        try returnHandle(id: id, handle)
    }
}

extension EngineState {
    /// One in so many allocations of the cold path is timed.
    private static let timingMask = 63

    /// Counts an allocation of the cold path; whether it is one to time: one that the warm path would have done, had the
    /// thread's grant not been used, or one of the others now and then.
    mutating func isTimed(_ cache: ThreadCachePointer?) -> Bool {
        coldAllocations &+= 1
        if let cache = unsafe cache, unsafe hasUsedWarmGrant(cache) { return true }
        return coldAllocations & Self.timingMask == 0
    }

    /// Whether nothing is due that the cold path does. Lock held.
    @inline(__always)
    func isOrdinary(_ cache: ThreadCachePointer) -> Bool { unsafe cache.pointee.warmLeft > 0 }

    @inline(__always)
    private func isOrdinary(_ bin: UnsafeMutablePointer<CacheBin>, _ cache: ThreadCachePointer) -> Bool {
        unsafe isOrdinary(cache) && bin.pointee.untilSample > 0
    }

    @inline(__always)
    mutating func giveWarm(
        _ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind, _ cache: ThreadCachePointer
    ) {
        unsafe cache.pointee.warmLeft &-= 1
        if kind.isSmall {
            unsafe freeSmall(address, kind.bin, byteCount: byteCount, cache: cache)
        } else {
            unsafe freeSpan(address, byteCount: byteCount, cache: cache)
        }
    }

    /// A block of a class from the depot, and more of them for the thread's bin.
    mutating func takeWarmSmall(_ index: Int, byteCount: Int, _ cache: ThreadCachePointer) -> UnsafeMutableRawPointer? {
        let bin = unsafe cache.bin(index)
        guard unsafe isOrdinary(bin, cache), unsafe bin.pointee.isEmpty, depot.count(ofClass: index) > 0 else {
            return nil
        }
        unsafe bin.pointee.fill(refillFromDepot(index, cache))
        let address = unsafe bin.pointee.pop()
        unsafe countWarmAllocation(bin, byteCount: byteCount, cache)
        return unsafe address
    }

    /// A span of the heap that was in use before.
    @inline(__always)
    mutating func takeWarmSpan(_ granules: Int, _ index: Int, byteCount: Int, _ cache: ThreadCachePointer)
        -> UnsafeMutableRawPointer?
    {
        let bin = unsafe cache.bin(index)
        guard configuration.usesSpanHeap, unsafe isOrdinary(bin, cache) else { return nil }
        if unsafe !bin.keeps(granules) { unsafe adoptSize(granules, index, cache) }
        guard unsafe bin.pointee.isEmpty else { return nil }
        unsafe giveUpLargeSpan(cache)
        guard let address = unsafe heap.takeUsed(granules) else { return nil }
        unsafe cache.pointee.lastMissedBin = index
        unsafe countWarmAllocation(bin, byteCount: byteCount, cache)
        if configuration.prefetchLines > 0 { unsafe prefetch(address) }
        return unsafe address
    }

    /// Counts a miss.
    @inline(__always)
    private mutating func countWarmAllocation(
        _ bin: UnsafeMutablePointer<CacheBin>, byteCount: Int, _ cache: ThreadCachePointer
    ) {
        unsafe cache.pointee.warmLeft &-= 1
        unsafe bin.pointee.countAllocation()
        unsafe bin.pointee.misses &+= 1
        unsafe cache.noteAllocated(byteCount)
    }
}
