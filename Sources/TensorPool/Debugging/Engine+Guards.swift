internal import CDebugging
internal import CThreadSlot
internal import Jemalloc

/// The way of requests off the hot path: to the engine, or, in a debugging mode, by the guards.
extension Engine {
    /// Allocates the block of a buffer.
    @usableFromInline @inline(never)
    func requestBlock(byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits) throws(TensorPoolError)
        -> Block
    {
        if guards != nil {
            return unsafe try watchedBlock(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
        }
        return unsafe try allocateBlock(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
    }

    /// Allocates a tensor with a handle.
    @usableFromInline @inline(never)
    func requestHandle(id: UInt64, byteCount: Int, traits: TensorTraits) throws(TensorPoolError) -> MemoryHandle {
        if guards != nil { return try watchedHandle(id: id, byteCount: byteCount, traits: traits) }
        return try allocateHandle(id: id, byteCount: byteCount, traits: traits)
    }

    /// Frees a tensor by its handle, after checking it.
    @usableFromInline @inline(never)
    func returnHandle(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        if guards != nil { return try returnWatched(id: id, handle) }
        try deallocate(id: id, handle)
    }

    // MARK: - In a debugging mode

    @inline(never)
    private func watchedBlock(byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits)
        throws(TensorPoolError) -> Block
    {
        try Self.validate(byteCount: byteCount, alignment: alignment, device: traits.device)
        let request = BlockRequest(
            byteCount: byteCount, alignment: max(64, alignment), zeroed: zeroed, role: traits.role)
        if let block = unsafe try serveGuarded(request, id: nil, { _, block in unsafe block }) {
            return unsafe block
        }
        let block = unsafe try allocateBlock(
            byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
        guard let guards, guards.scrubs else { return unsafe block }
        return unsafe Block(address: block.address, kind: block.kind.withScrubbing)
    }

    @inline(never)
    private func watchedHandle(id: UInt64, byteCount: Int, traits: TensorTraits) throws(TensorPoolError)
        -> MemoryHandle
    {
        try Self.validate(byteCount: byteCount, alignment: 64, device: traits.device)
        let request = BlockRequest(byteCount: byteCount, alignment: 64, zeroed: false, role: traits.role)
        let guarded = unsafe try serveGuarded(request, id: id) { state, block in
            // Of no thread's cache: so its free takes the slow path.
            unsafe handle(for: block, id: id, byteCount: byteCount, cache: nil, &state)
        }
        if let guarded { return guarded }
        let plain = try allocateHandle(id: id, byteCount: byteCount, traits: traits)
        guard let guards, guards.scrubs else { return plain }
        return unsafe MemoryHandle(
            baseAddress: plain.baseAddress, byteCount: byteCount, tensorID: id, record: plain.record,
            state: plain.state, serial: serial, kind: plain.kind.withScrubbing)
    }

    @inline(never)
    private func returnWatched(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        do throws(TensorPoolError) {
            try deallocate(id: id, handle)
        } catch {
            if let guards, guards.options.notesLocations {
                let location = CodeLocation.current(guards.options)
                withState { _ in guards.noteFreedTwice(HandleKey(handle), at: location) }
            }
            deliverFindings()
            throw error
        }
        deliverFindings()
    }

    /// Takes a watched buffer back.
    func freeGuarded(_ address: UnsafeMutableRawPointer) {
        guard let guards else { stopProgram("a guarded tensor of an engine without guards") }
        let isDone = withState { state in
            unsafe guards.free(address, nil, &state)
            return state.isClosed && state.liveBlocks == 0
        }
        deliverFindings()
        if isDone { end() }
    }

    /// Tells what was found. No lock held.
    func deliverFindings() {
        guard let guards else { return }
        let findings = withState { _ in guards.takeFindings() }
        for finding in findings { base.shared.findings.report(finding) }
    }

    /// The live tensors, where they are watched.
    func leaks() -> [DebugFinding] {
        guard let guards else { return [] }
        return withState { _ in guards.leaks() }
    }

    /// Allocates a watched tensor, and describes it by `finish` under the lock; nil where this request is not watched, or
    /// where there is no room for a sample.
    private func serveGuarded<Result>(
        _ request: BlockRequest, id: UInt64?, _ finish: (inout EngineState, Block) -> Result?
    ) throws(TensorPoolError) -> Result? {
        guard let guards else { return nil }
        let place = sampledPlace(of: request)
        let choice = unsafe guards.choose(request, weight: place == nil ? 1 : CacheBin.firstSampleInterval)
        if case .plain = choice { return nil }
        let location = CodeLocation.current(guards.options)
        var attempts = 0
        while true {
            var result: Result?
            let served = withState { state -> Served in
                if let cache = unsafe ownCache { unsafe state.settle(cache) }
                let served = guards.allocate(request, choice, id: id, at: location, &state)
                guard case .block(let block) = served else { return served }
                result = unsafe finish(&state, block)
                if result == nil {
                    unsafe guards.free(block.address, nil, &state)
                    return .refused(needed: request.byteCount)
                }
                if let place { advance(place, &state) }
                return served
            }
            attempts += 1
            switch served {
            case .block: return result
            case .limitReached(let needed):
                if !guards.options.watchesEveryTensor { return nil }
                let hasHope =
                    base.reclaim(needed, for: self, all: false, requested: request.byteCount) > 0
                    || base.hasRoom(for: needed)
                if attempts > 3 || !hasHope { throw base.limitError(requested: request.byteCount, needed: needed) }
            case .refused(let needed):
                if !guards.options.watchesEveryTensor { return nil }
                if attempts > 2 || base.reclaim(needed, for: self, all: true, requested: request.byteCount) == 0 {
                    throw .outOfMemory(byteCount: request.byteCount)
                }
            }
        }
    }

    // MARK: - Samples

    /// The bin of an allocation that is here only because it is one in 2,048 of its bin; nil of any other.
    private func sampledPlace(of request: BlockRequest) -> Int? {
        let kind = EngineFront.kind(request.byteCount, smallCeiling: smallCeiling)
        return HotPath.isSample(engine: number, kind: kind) ? kind.bin : nil
    }

    /// Lets a bin go on to its next allocations. The tensor was counted elsewhere, so what is added here is taken away
    /// there: the sums stay.
    private func advance(_ bin: Int, _ state: inout EngineState) {
        guard let cache = unsafe ownCache else { return }
        unsafe cache.bin(bin).pointee.countServed(longestInterval: cache.pointee.longestSampleInterval)
        unsafe cache.bin(bin).pointee.countFree()
        state.sharedCounts[bin].allocations -= 1
        state.sharedCounts[bin].frees -= 1
    }
}

extension ObservablePool {
    /// Reports each tensor that is live now as a finding, largest first, and returns them: buffers too, and with the
    /// places where they were allocated where the pool tracks them. Pools that watch every tensor know them: ``DebugOptions``
    /// says which. A pool with ``DebugOptions/reportsLeaks`` does so when it is dropped, and where nobody drops it at the
    /// exit of the process.
    @discardableResult public func reportLeaks() -> [DebugFinding] {
        let leaks = engines.all.flatMap { $0.leaks() }.sorted { $0.byteCount > $1.byteCount }
        if let base = engines.all.first?.base {
            for leak in leaks { base.shared.findings.report(leak) }
        }
        return leaks
    }
}
