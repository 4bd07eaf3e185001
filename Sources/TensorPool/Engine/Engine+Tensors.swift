internal import Synchronization

/// Buffers and handles off the hot path.
extension Engine {
    /// Zeroes a block that came from the hot path.
    @usableFromInline func zero(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        unsafe Filling.fill(address, with: 0, byteCount: byteCount, vectorized: vectorizedFilling)
    }

    /// Allocates the block of a buffer: a sampled hit, or the cold path.
    @inline(never)
    func allocateBlock(byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits) throws(TensorPoolError)
        -> Block
    {
        try Self.validate(byteCount: byteCount, alignment: alignment, device: traits.device)
        if alignment <= 64 && traits.role != .weight, let block = unsafe sampledHit(byteCount) {
            if zeroed { unsafe zero(block.address, byteCount) }
            return unsafe block
        }
        return unsafe try allocate(
            BlockRequest(byteCount: byteCount, alignment: max(64, alignment), zeroed: zeroed, role: traits.role))
    }

    /// Allocates a tensor with a handle on the slow path.
    @usableFromInline @inline(never)
    func allocateHandle(id: UInt64, byteCount: Int, traits: TensorTraits) throws(TensorPoolError) -> MemoryHandle {
        try Self.validate(byteCount: byteCount, alignment: 64, device: traits.device)
        if traits.role != .weight, let block = unsafe sampledHit(byteCount) {
            return unsafe try describe(block, id: id, byteCount: byteCount)
        }
        let request = BlockRequest(byteCount: byteCount, alignment: 64, zeroed: false, role: traits.role)
        return unsafe try serve(request) { state, cache, block in
            unsafe handle(for: block, id: id, byteCount: byteCount, cache: cache, &state)
        }
    }

    /// The handle of a block that was got already. Where there is no memory for its record, the block goes back.
    private func describe(_ block: Block, id: UInt64, byteCount: Int) throws(TensorPoolError) -> MemoryHandle {
        if let tensor = unsafe HotPath.describe(block, engine: number, byteCount: byteCount, id: id) {
            return unsafe MemoryHandle(tensor, byteCount: byteCount, tensorID: id, serial: serial, kind: block.kind)
        }
        return try withState { state throws(TensorPoolError) in
            let cache = unsafe currentCache(&state)
            if let handle = unsafe handle(for: block, id: id, byteCount: byteCount, cache: cache, &state) {
                return handle
            }
            unsafe state.free(block, byteCount: byteCount, cache: cache)
            throw .outOfMemory(byteCount: byteCount)
        }
    }

    /// A handle for a block; nil where there is no memory for its record.
    func handle(
        for block: Block, id: UInt64, byteCount: Int, cache: ThreadCachePointer?, _ state: inout EngineState
    ) -> MemoryHandle? {
        guard let (record, generation) = unsafe state.takeRecord(describing: byteCount, id: id, cache: cache) else {
            return nil
        }
        return unsafe MemoryHandle(
            baseAddress: block.address, byteCount: byteCount, tensorID: id, record: record, state: generation,
            serial: serial, kind: block.kind)
    }

    /// Frees the tensor of a handle, given field by field, on the slow path.
    @usableFromInline @inline(never)
    func returnHandle(
        id: UInt64, _ baseAddress: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64,
        record: BlockRecordPointer, state: UInt64, serial: UInt64, kind: BlockKind
    ) throws(TensorPoolError) {
        try returnHandle(
            id: id,
            unsafe MemoryHandle(
                baseAddress: baseAddress, byteCount: byteCount, tensorID: tensorID, record: record, state: state,
                serial: serial, kind: kind))
    }

    /// Frees a tensor by its handle on the slow path, after checking it.
    @usableFromInline @inline(never)
    func deallocate(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        let isDone = try withState { state throws(TensorPoolError) in
            try release(id: id, handle, &state)
            return state.isClosed && state.liveBlocks == 0
        }
        if isDone { end() }
    }

    private func release(id: UInt64, _ handle: MemoryHandle, _ state: inout EngineState) throws(TensorPoolError) {
        try check(id: id, handle)
        let cache = unsafe currentCache(&state)
        let record = unsafe handle.record
        let claimed = handle.state - RecordStatus.live + RecordStatus.claimed
        // A claim fails where the owner's hot path freed the tensor since the check.
        guard
            unsafe record.pointee.state.compareExchange(
                expected: handle.state, desired: claimed, ordering: .acquiringAndReleasing
            ).exchanged
        else { throw .freedTwice(tensorID: id) }
        let returned = unsafe ReturnedTensor(
            record: record, claimedState: claimed, address: handle.baseAddress, byteCount: handle.byteCount,
            kind: handle.kind)
        let ordinal = RecordStatus.owner(of: handle.state)
        let isOthers =
            unsafe ordinal != RecordStatus.noOwner && state.caches[ordinal].pointee.owner != nil
            && state.caches[ordinal] != cache
        if isOthers {
            state.inboxes[ordinal].append(returned)
            unsafe state.caches[ordinal].pointee.hasInbox = true
            unsafe state.caches[ordinal].endWarmGrant()
        } else {
            unsafe state.finishReturn(returned, cache: cache)
        }
    }

    /// Throws what is wrong with a handle, if anything.
    func check(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        guard handle.serial == serial else { throw .foreignHandle(tensorID: handle.tensorID) }
        guard handle.tensorID == id else { throw .wrongTensorID(given: id, handle: handle.tensorID) }
        let state = unsafe handle.record.pointee.state.load(ordering: .acquiring)
        guard state != handle.state else { return }
        throw RecordStatus.isSameTensor(state, handle.state) ? .freedTwice(tensorID: id) : .staleHandle(tensorID: id)
    }

    // MARK: - Sampled hits

    /// Serves a sampled allocation by the hot path between two readings of the clock. Nil where the allocation is not
    /// a sampled one.
    private func sampledHit(_ byteCount: Int) -> Block? {
        let kind = EngineFront.kind(byteCount, smallCeiling: smallCeiling)
        guard HotPath.isSample(engine: number, kind: kind) else { return nil }
        let start = MonotonicClock.now()
        guard let address = unsafe HotPath.popSampled(engine: number, kind: kind, byteCount: byteCount) else {
            return nil
        }
        let end = MonotonicClock.now()
        return unsafe withState { state in
            state.samples.hit.add(Double(end - start) - MonotonicClock.cost)
            if let cache = unsafe currentCache(&state) { unsafe state.settle(cache) }
            if state.configuration.samplesLifetimes, unsafe state.samples.born(address, byteCount: byteCount, now: end)
            {
                return unsafe Block(address: address, kind: kind.withSample)
            }
            return unsafe Block(address: address, kind: kind)
        }
    }
}
