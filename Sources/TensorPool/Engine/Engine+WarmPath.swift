internal import CThreadSlot
internal import Synchronization

/// What the thread's cache cannot serve or keep, served and kept by what the engine has at hand: blocks of the depot, and
/// free granules that were in use before. Most misses of a steady workload end here, so this path is short: a lock that is
/// biased to the thread, a look at the lists of free runs, a few counts. Whatever is out of the ordinary is left to the cold
/// path in `Engine+Blocks.swift`: memory to be got from an arena, limits, samples, inboxes, sweeps, zeroing. No block has
/// been taken and nothing counted by then; only the thread's cache may have given a span back, and a handle's block been taken
/// and freed again, where there was no memory for its record.
///
/// Spans under the biased lock come first, with what they need in reach of the thread's cache; blocks of classes, and
/// threads that share the heap, are one call further.
///
/// A value with the engine's number, and no static methods: those are called with their type as one argument more, and
/// those of a class look that up each time.
@frozen @usableFromInline struct WarmPath {
    @usableFromInline let engine: UInt32

    @inlinable @inline(__always) init(engine: UInt32) { self.engine = engine }

    var cache: ThreadCachePointer {
        @inline(__always) get { unsafe tensorpool_load_cache(engine).assumingMemoryBound(to: ThreadCache.self) }
    }

    /// A block for a plain request of the thread's, or nil. `kind` is what such a block is made of, whether there can be
    /// one of that size or not.
    @usableFromInline @inline(never)
    func take(_ kind: BlockKind, byteCount: Int) -> UnsafeMutableRawPointer? {
        let cache = unsafe cache
        guard kind.isSpan else { return unsafe takeShared(kind, byteCount: byteCount) }
        guard unsafe tensorpool_is_cache(cache) else { return nil }
        guard unsafe cache.enterBiased() else { return unsafe takeShared(kind, byteCount: byteCount) }
        let state = unsafe cache.pointee.state
        if unsafe cache.pointee.lastBin >= 0 || state.pointee.prefetches {
            return unsafe takeAside(kind, byteCount: byteCount, cache)
        }
        let address = unsafe state.pointee.takeWarmSpan(kind, byteCount: byteCount, cache)
        unsafe cache.leaveBiased()
        return unsafe address
    }

    /// The same where there is more to do than to take a span; gives the lock back. A call at the end, as all calls of `take`
    /// and `free` are: these have nothing to keep across a call.
    @inline(never)
    private func takeAside(_ kind: BlockKind, byteCount: Int, _ cache: ThreadCachePointer) -> UnsafeMutableRawPointer? {
        defer { unsafe cache.leaveBiased() }
        return unsafe cache.pointee.state.pointee.takeWarmSpanAside(kind, byteCount: byteCount, cache)
    }

    /// The same of a class, or where threads share the heap: then more spans of a size are taken at a time.
    @inline(never)
    private func takeShared(_ kind: BlockKind, byteCount: Int) -> UnsafeMutableRawPointer? {
        let cache = unsafe cache
        guard unsafe kind.isCacheable && tensorpool_is_cache(cache) else { return nil }
        // Not retained: who asks has the pool, which keeps the engine.
        return unsafe cache.pointee.engine._withUnsafeGuaranteedRef { engine in
            let isBiased = unsafe engine.lock.lock(cache)
            defer { unsafe engine.lock.unlock(cache, isBiased: isBiased) }
            return unsafe engine.takeWarm(kind, byteCount: byteCount, cache)
        }
    }

    /// Frees a block: what a buffer does at its end off the hot path.
    @usableFromInline @inline(never)
    func free(_ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind) {
        let cache = unsafe cache
        guard kind.isSpan else { return unsafe freeShared(address, byteCount: byteCount, kind: kind) }
        guard unsafe tensorpool_is_cache(cache) else {
            return unsafe Engine.freeCold(engine: engine, address: address, byteCount: byteCount, kind: kind)
        }
        guard unsafe cache.enterBiased() else {
            return unsafe freeShared(address, byteCount: byteCount, kind: kind)
        }
        let state = unsafe cache.pointee.state
        guard unsafe state.pointee.isOrdinary(cache), unsafe !state.pointee.mayKeep(address) else {
            return unsafe freeAside(address, byteCount: byteCount, kind: kind, cache)
        }
        unsafe cache.pointee.warmLeft &-= 1
        unsafe state.pointee.freeUnkeptSpan(address, kind, byteCount: byteCount, cache)
        unsafe cache.leaveBiased()
    }

    /// The same where the thread may keep the span, or the cold path is due; gives the lock back.
    @inline(never)
    private func freeAside(
        _ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind, _ cache: ThreadCachePointer
    ) {
        let state = unsafe cache.pointee.state
        guard unsafe state.pointee.isOrdinary(cache) else {
            unsafe cache.leaveBiased()
            return unsafe Engine.freeCold(engine: engine, address: address, byteCount: byteCount, kind: kind)
        }
        unsafe cache.pointee.warmLeft &-= 1
        unsafe state.pointee.freeSpan(address, kind, byteCount: byteCount, cache: cache)
        unsafe cache.leaveBiased()
    }

    /// The same of a class, or where threads share the heap, or on the cold path.
    @inline(never)
    private func freeShared(_ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind) {
        let cache = unsafe cache
        if unsafe kind.isCacheable && tensorpool_is_cache(cache) {
            // Not retained: the block that is to be freed keeps the engine, and after it nothing is touched.
            let isDone = unsafe cache.pointee.engine._withUnsafeGuaranteedRef { engine in
                unsafe engine.giveWarm(address, byteCount: byteCount, kind: kind, cache)
            }
            if isDone { return }
        }
        unsafe Engine.freeCold(engine: engine, address: address, byteCount: byteCount, kind: kind)
    }
}

extension Engine {
    /// A block of a class, or a span and, where threads share the heap, more of its size for the thread. Lock held.
    func takeWarm(_ kind: BlockKind, byteCount: Int, _ cache: ThreadCachePointer) -> UnsafeMutableRawPointer? {
        if kind.isSmall { return unsafe state.pointee.takeWarmSmall(kind.bin, byteCount: byteCount, cache) }
        let address = unsafe state.pointee.takeWarmSpanAside(kind, byteCount: byteCount, cache)
        if unsafe address != nil && lock.isContested {
            unsafe state.pointee.refillShared(kind, Granule.count(byteCount), cache)
        }
        return unsafe address
    }

    /// Takes a block back. False where the cold path has to.
    @inline(__always)
    fileprivate func giveWarm(
        _ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind, _ cache: ThreadCachePointer
    ) -> Bool {
        let isBiased = unsafe lock.lock(cache)
        defer { unsafe lock.unlock(cache, isBiased: isBiased) }
        guard unsafe state.pointee.isOrdinary(cache) else { return false }
        unsafe state.pointee.giveWarm(address, byteCount: byteCount, kind: kind, isShared: lock.isContested, cache)
        return true
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
    mutating func giveWarm(
        _ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind, isShared: Bool, _ cache: ThreadCachePointer
    ) {
        unsafe cache.pointee.warmLeft &-= 1
        if kind.isSmall {
            unsafe freeSmall(address, kind.bin, byteCount: byteCount, cache: cache)
        } else if unsafe isShared && keepShared(address, kind, byteCount: byteCount, cache) {
            unsafe countFree(bin: kind.bin, byteCount: byteCount, cache: cache)
        } else {
            unsafe freeSpan(address, kind, byteCount: byteCount, cache: cache)
        }
    }

    /// A block of a class from the depot, and more of them for the thread's bin.
    @inline(never)
    mutating func takeWarmSmall(_ index: Int, byteCount: Int, _ cache: ThreadCachePointer) -> UnsafeMutableRawPointer? {
        let bin = unsafe cache.bin(index)
        guard unsafe isOrdinary(cache) && bin.pointee.untilSample > 0, unsafe bin.pointee.isEmpty,
            depot.count(ofClass: index) > 0
        else { return nil }
        unsafe bin.pointee.fill(refillFromDepot(index, cache))
        let address = unsafe bin.pointee.pop()
        unsafe countWarmMiss(bin, byteCount: byteCount, cache)
        return unsafe address
    }

    /// Whether blocks are prefetched when they leave a slow path.
    @inline(__always) var prefetches: Bool { configuration.prefetchLines > 0 }

    /// A span of the heap that was in use before.
    @inline(__always)
    mutating func takeWarmSpan(_ kind: BlockKind, byteCount: Int, _ cache: ThreadCachePointer)
        -> UnsafeMutableRawPointer?
    {
        let bin = unsafe cache.bin(of: kind)
        guard unsafe isOrdinary(cache) && bin.pointee.untilSample > 0,
            let address = unsafe heap.takeUsed(Granule.count(byteCount))
        else { return nil }
        unsafe countWarmMiss(bin, byteCount: byteCount, cache)
        return unsafe address
    }

    /// The same once the thread has given up the span of a loop, and prefetched where that is asked for.
    @inline(never)
    mutating func takeWarmSpanAside(_ kind: BlockKind, byteCount: Int, _ cache: ThreadCachePointer)
        -> UnsafeMutableRawPointer?
    {
        guard unsafe isOrdinary(cache) && cache.bin(of: kind).pointee.untilSample > 0 else { return nil }
        // A standard pool, whose spans go back to arenas, has nothing to gain by that.
        if configuration.usesSpanHeap { unsafe giveUpLoopSpan(cache) }
        guard let address = unsafe takeWarmSpan(kind, byteCount: byteCount, cache) else { return nil }
        unsafe prefetch(address)
        return unsafe address
    }

    /// Counts an allocation that the thread's bin could not serve, where the next one is not a sample.
    @inline(__always)
    private func countWarmMiss(_ bin: UnsafeMutablePointer<CacheBin>, byteCount: Int, _ cache: ThreadCachePointer) {
        unsafe cache.pointee.warmLeft &-= 1
        unsafe bin.pointee.untilSample &-= 1
        unsafe bin.pointee.misses &+= 1
        unsafe cache.noteAllocated(byteCount)
    }
}
