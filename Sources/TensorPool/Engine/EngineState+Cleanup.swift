internal import CDebugging
internal import Jemalloc
internal import Synchronization

/// Giving memory back.
extension EngineState {
    /// Empties a cache whose thread is kept out: its blocks go to the depot and the heap, its limits to nothing.
    mutating func empty(_ cache: ThreadCachePointer) {
        unsafe settle(cache)
        for index in 0..<SizeClass.count {
            let bin = unsafe cache.bin(index)
            unsafe flush(index, bin, keeping: 0)
            unsafe bin.pointee.limit = 0
        }
        unsafe cache.pointee.grantedSmallBytes = 0
        for index in CacheLayout.firstSpanBin..<CacheLayout.recordBin { unsafe emptySpanBin(index, cache) }
        let bin = unsafe cache.bin(CacheLayout.recordBin)
        unsafe bin.pointee.rearrange { entries, count in
            unsafe records.put(entries, count)
            return 0
        }
    }

    /// Returns what no cache and no tensor has: the depot's blocks to their arenas, free granules and empty slabs to
    /// the system.
    mutating func returnIdleMemory() {
        guards?.flush(&self)
        for index in 0..<SizeClass.count { returnDepot(index, keeping: 0) }
        returnEmptySlabs()
        if !weights.chunks.isEmpty { returnEmptyChunks() }
        let released = unsafe heap.releaseFree(atLeast: .max) { unsafe SystemMemory.release($0, $1) }
        unreserve(released << Granule.shift)
    }

    /// Gives slabs that no tensor has a part of back to their arena, whose decay of zero returns them to the system.
    private mutating func returnEmptySlabs() {
        for place in heap.slabs.indices.reversed() where heap.isUnused(slab: place) {
            let removed = heap.remove(slab: place)
            let slab = removed.slab
            // The advice would stay with the address space, for whoever gets that next.
            let advised = (slab.advisedEnd - slab.firstGranule) << Granule.shift
            if advised > 0 { unsafe SystemMemory.adviseSmallPages(slab.address, advised) }
            unsafe Backend.free(slab.address)
            unreserve(removed.backedGranules << Granule.shift)
        }
    }

    /// The end of an engine: all its memory goes back.
    mutating func returnEverything() {
        for index in unsafe caches.indices { unsafe empty(caches[index]) }
        returnIdleMemory()
        guards?.unmap()
    }

    /// Frees what other threads' handles gave back to a cache, unless its owner freed the same handle first.
    mutating func drainInbox(of cache: ThreadCachePointer, into target: ThreadCachePointer?) {
        guard unsafe cache.pointee.hasInbox else { return }
        unsafe cache.pointee.hasInbox = false
        let ordinal = unsafe cache.pointee.ordinal
        let returned = inboxes[ordinal]
        inboxes[ordinal] = []
        for tensor in returned { unsafe finishReturn(tensor, cache: target) }
    }

    /// Frees a claimed handle's block and record. The owner's thread is kept out or is the caller.
    mutating func finishReturn(_ tensor: ReturnedTensor, cache: ThreadCachePointer?) {
        guard unsafe tensor.record.pointee.state.load(ordering: .acquiring) == tensor.claimedState else {
            absorbedFrees += 1
            return
        }
        unsafe tensor.record.pointee.state.store(RecordStatus.freed(tensor.claimedState), ordering: .releasing)
        unsafe putRecord(tensor.record, cache: cache)
        var kind = tensor.kind
        if kind.isGuarded {
            unsafe guards?.free(tensor.address, HandleKey(tensor), &self)
            return
        }
        if kind.isScrubbed {
            kind = kind.withoutScrubbing
            if kind.isWeight {
                unsafe scrubWeight(tensor.address, tensor.byteCount)
            } else {
                unsafe tensorpool_scrub(tensor.address, tensor.byteCount)
            }
        }
        unsafe free(Block(address: tensor.address, kind: kind), byteCount: tensor.byteCount, cache: cache)
    }
}
