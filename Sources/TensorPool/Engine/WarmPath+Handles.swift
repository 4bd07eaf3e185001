internal import CThreadSlot
internal import Synchronization

/// Handles on the warm path: what buffers do there, with a record from the thread's cache or back to it.
extension WarmPath {
    /// A block for a plain request of the thread's and a record that describes it, or nil.
    @usableFromInline @inline(never)
    func takeTensor(_ kind: BlockKind, byteCount: Int, id: UInt64) -> HotPath.Tensor? {
        let cache = unsafe cache
        guard kind.isSpan, unsafe BlockRecord.holds(byteCount: byteCount, id: id), unsafe tensorpool_is_cache(cache),
            unsafe cache.enterBiased()
        else {
            return unsafe takeTensorAside(kind, byteCount: byteCount, id: id)
        }
        let state = unsafe cache.pointee.state
        let records = unsafe cache.bin(CacheLayout.recordBin)
        guard unsafe cache.pointee.lastBin < 0 && !state.pointee.prefetches, unsafe records.pointee.hasNewest else {
            unsafe cache.leaveBiased()
            return unsafe takeTensorAside(kind, byteCount: byteCount, id: id)
        }
        guard let address = unsafe state.pointee.takeWarmSpan(kind, byteCount: byteCount, cache) else {
            unsafe cache.leaveBiased()
            return nil
        }
        // There is one: asked above, and taking a span has nothing to do with records.
        let free = unsafe records.popNewest().unsafelyUnwrapped
        let record = unsafe free.assumingMemoryBound(to: BlockRecord.self)
        let described = unsafe record.describeNarrowly(byteCount: byteCount, id: id, step: cache.pointee.recordStep)
        unsafe cache.leaveBiased()
        return unsafe (address, record, described)
    }

    /// The same of a class, where threads share the heap, or where there is more to do than to take a span and a record
    /// that is at hand and holds the description.
    @inline(never)
    private func takeTensorAside(_ kind: BlockKind, byteCount: Int, id: UInt64) -> HotPath.Tensor? {
        let cache = unsafe cache
        guard unsafe kind.isCacheable && tensorpool_is_cache(cache) else { return nil }
        // Not retained: who asks has the pool, which keeps the engine.
        return unsafe cache.pointee.engine._withUnsafeGuaranteedRef { engine in
            let isBiased = unsafe engine.lock.lock(cache)
            defer { unsafe engine.lock.unlock(cache, isBiased: isBiased) }
            guard let address = unsafe engine.takeKeptOrWarm(kind, byteCount: byteCount, cache) else { return nil }
            // Only now: a request that is refused leaves no records behind.
            guard
                let (record, described) = unsafe engine.state.pointee.takeRecord(
                    describing: byteCount, id: id, cache: cache)
            else {
                unsafe engine.state.pointee.free(
                    Block(address: address, kind: kind), byteCount: byteCount, cache: cache)
                return nil
            }
            return unsafe (address, record, described)
        }
    }

    /// Frees the block of a live handle that this thread allocated. False where the cold path has to, or to say what is
    /// wrong.
    @usableFromInline @inline(never)
    func freeTensor(
        _ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind, record: BlockRecordPointer, state: UInt64
    ) -> Bool {
        let cache = unsafe cache
        guard kind.isSpan, unsafe tensorpool_is_cache(cache), unsafe cache.enterBiased() else {
            return unsafe freeTensorAside(address, byteCount: byteCount, kind: kind, record: record, state: state)
        }
        let engineState = unsafe cache.pointee.state
        let records = unsafe cache.bin(CacheLayout.recordBin)
        guard unsafe engineState.pointee.isOrdinary(cache), unsafe !engineState.pointee.mayKeep(address),
            unsafe record.isLive(as: state, ownedBy: cache), unsafe records.pointee.hasPlace
        else {
            unsafe cache.leaveBiased()
            return unsafe freeTensorAside(address, byteCount: byteCount, kind: kind, record: record, state: state)
        }
        unsafe cache.pointee.warmLeft &-= 1
        unsafe record.pointee.state.store(RecordStatus.freed(state), ordering: .relaxed)
        unsafe _ = records.pushNewest(UnsafeMutableRawPointer(record))
        unsafe engineState.pointee.freeUnkeptSpan(address, kind, byteCount: byteCount, cache)
        unsafe cache.leaveBiased()
        return true
    }

    /// The same of a class, where threads share the heap, where the thread may keep the span, or has no place for the record.
    @inline(never)
    private func freeTensorAside(
        _ address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind, record: BlockRecordPointer, state: UInt64
    ) -> Bool {
        let cache = unsafe cache
        guard unsafe kind.isCacheable && tensorpool_is_cache(cache) else { return false }
        // Not retained: who frees by a handle has the pool, which keeps the engine.
        return unsafe cache.pointee.engine._withUnsafeGuaranteedRef { engine in
            let isBiased = unsafe engine.lock.lock(cache)
            defer { unsafe engine.lock.unlock(cache, isBiased: isBiased) }
            guard unsafe engine.state.pointee.isOrdinary(cache), unsafe record.isLive(as: state, ownedBy: cache) else {
                return false
            }
            unsafe record.pointee.state.store(RecordStatus.freed(state), ordering: .relaxed)
            unsafe engine.state.pointee.putRecord(record, cache: cache)
            unsafe engine.state.pointee.giveWarm(
                address, byteCount: byteCount, kind: kind, isShared: engine.lock.isContested, cache)
            return true
        }
    }
}

extension UnsafeMutablePointer where Pointee == BlockRecord {
    /// Whether the record is that of a handle's live tensor, and a thread's own. Lock held: who claims another thread's
    /// record does it under the lock.
    @inline(__always)
    fileprivate func isLive(as state: UInt64, ownedBy cache: ThreadCachePointer) -> Bool {
        unsafe pointee.state.load(ordering: .relaxed) == state
            && RecordStatus.isLive(state, ofOwnerWith: cache.pointee.recordStep)
    }
}

extension Engine {
    /// A block that the thread keeps, where it lacked a record only, or else one of the warm path. Lock held.
    fileprivate func takeKeptOrWarm(_ kind: BlockKind, byteCount: Int, _ cache: ThreadCachePointer)
        -> UnsafeMutableRawPointer?
    {
        let bin = unsafe cache.bin(of: kind)
        guard unsafe bin.keeps(kind.hasOwnBin ? nil : Granule.count(byteCount)) && !bin.pointee.isEmpty else {
            return unsafe takeWarm(kind, byteCount: byteCount, cache)
        }
        guard unsafe bin.pointee.untilSample > 0 else { return nil }
        let address = unsafe bin.pointee.pop()
        unsafe bin.pointee.countServed(longestInterval: cache.pointee.longestSampleInterval)
        unsafe cache.noteAllocated(byteCount)
        return unsafe address
    }
}
