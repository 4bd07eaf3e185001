internal import CThreadSlot
internal import Jemalloc

/// Allocating and freeing off the hot path.
extension Engine {
    /// The largest request: above it, sizes and roundings could overflow. 64 TiB, half of a process's address space.
    static let maximumByteCount = 1 << 46
    /// The greatest alignment: that of a huge page, 2 MiB.
    static let maximumAlignment = SystemMemory.hugePageByteCount

    static func validate(byteCount: Int, alignment: Int, device: TensorDevice) throws(TensorPoolError) {
        guard byteCount > 0 else { throw .invalidByteCount(byteCount) }
        guard byteCount <= maximumByteCount else {
            throw .byteCountTooLarge(byteCount: byteCount, maximum: maximumByteCount)
        }
        guard alignment > 0, alignment & (alignment - 1) == 0, alignment <= maximumAlignment else {
            throw .invalidAlignment(alignment, maximum: maximumAlignment)
        }
        guard device == .cpu else { throw .unsupportedDevice(device) }
    }

    /// Allocates a block, whatever it takes short of exceeding the limit.
    func allocate(_ request: BlockRequest) throws(TensorPoolError) -> Block {
        try unsafe serve(request) { _, _, block in unsafe block }
    }

    /// Allocates a block and describes it by `finish`, under one lock. Where `finish` has no memory for that, and returns
    /// nil, the block goes back.
    func serve<Result>(
        _ request: BlockRequest, _ finish: (inout EngineState, ThreadCachePointer?, Block) -> Result?
    ) throws(TensorPoolError) -> Result {
        var attempts = 0
        while true {
            var result: Result?
            let served = withState { state -> Served in
                let cache = unsafe currentCache(&state)
                state.isShared = lock.isContested
                if state.isQuietLookDue { scavengeQuietThreads(&state) }
                let isTimed = unsafe state.isTimed(cache)
                let backendAllocations = state.backendAllocations
                let start = isTimed ? MonotonicClock.now() : 0
                let served = unsafe state.allocate(request, cache: cache)
                if isTimed {
                    let nanoseconds = Double(MonotonicClock.now() - start) - MonotonicClock.cost
                    if state.backendAllocations == backendAllocations {
                        state.samples.miss.add(nanoseconds)
                    } else {
                        state.samples.growth.add(nanoseconds)
                    }
                }
                guard case .block(let block) = served else { return served }
                result = unsafe finish(&state, cache, block)
                if result != nil { return served }
                unsafe state.free(block, byteCount: request.byteCount, cache: cache)
                return .refused(needed: request.byteCount)
            }
            switch served {
            case .block:
                return result!
            case .limitReached(let needed):
                attempts += 1
                // What this and other pools of the base keep without using it is no reason to refuse.
                // Another thread may have made the room.
                let hasHope =
                    base.reclaim(needed, for: self, all: false, requested: request.byteCount) > 0
                    || base.hasRoom(for: needed)
                if attempts > 3 || !hasHope {
                    throw base.limitError(requested: request.byteCount, needed: needed)
                }
            case .refused(let needed):
                attempts += 1
                if attempts > 2 || base.reclaim(needed, for: self, all: true, requested: request.byteCount) == 0 {
                    throw .outOfMemory(byteCount: request.byteCount)
                }
            }
        }
    }

    /// Frees a block of an engine known by number alone, on the cold path.
    @inline(never)
    static func freeCold(engine: UInt32, address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind) {
        // Retained: once the block is back, another thread's last free may end the engine.
        let engine = unsafe EngineRegistry.engine(engine).takeUnretainedValue()
        if unsafe engine.free(Block(address: address, kind: kind), byteCount: byteCount) { engine.end() }
    }

    /// Frees a block. True where it was the last one of an engine whose pool is gone.
    private func free(_ block: Block, byteCount: Int) -> Bool {
        withState { state in
            let cache = unsafe currentCache(&state)
            state.isShared = lock.isContested
            unsafe state.free(block, byteCount: byteCount, cache: cache)
            return state.isClosed && state.liveBlocks == 0
        }
    }
}

extension EngineState {
    mutating func allocate(_ request: BlockRequest, cache: ThreadCachePointer?) -> Served {
        if let cache = unsafe cache {
            unsafe drainInbox(of: cache, into: cache)
            unsafe noteSlowOperation(cache)
        }
        if request.role == .weight { return allocateWeight(request) }
        if let index = SizeClass.index(
            request.byteCount, alignment: request.alignment, ceiling: configuration.smallCeiling)
        {
            let served = unsafe allocateSmall(index, request, cache: cache)
            if request.zeroed, case .block(let block) = served { unsafe zero(block.address, request.byteCount) }
            return served
        }
        if configuration.usesSpanHeap
            || (configuration.spanCacheByteLimit > 0 && request.alignment <= Granule.byteCount)
        {
            return unsafe allocateSpan(request, cache: cache)
        }
        return unsafe allocateDirect(request, cache: cache)
    }

    mutating func free(_ block: Block, byteCount: Int, cache: ThreadCachePointer?) {
        var kind = unsafe block.kind
        if kind.isSampled {
            unsafe samples.died(block.address, now: MonotonicClock.now())
            kind = kind.withoutSample
        }
        if let cache = unsafe cache { unsafe noteSlowOperation(cache) }
        switch kind {
        case _ where kind.isSpan: unsafe freeSpan(block.address, kind, byteCount: byteCount, cache: cache)
        case .direct: unsafe freeDirect(block.address, byteCount: byteCount, cache: cache)
        case .weight: unsafe freeWeight(block.address, byteCount: byteCount)
        case .promotedSpan: unsafe freePromotedSpan(block.address, byteCount: byteCount)
        default: unsafe freeSmall(block.address, kind.bin, byteCount: byteCount, cache: cache)
        }
    }

    // MARK: - Straight from the arena

    private mutating func allocateDirect(_ request: BlockRequest, cache: ThreadCachePointer?) -> Served {
        guard let flags = flags(TensorSizeCategory(byteCount: request.byteCount)) else {
            return .refused(needed: request.byteCount)
        }
        var all = flags.union(.alignment(request.alignment))
        guard let usable = try? nallocx(request.byteCount, all) else { return .refused(needed: request.byteCount) }
        guard reserve(usable) else { return .limitReached(needed: usable) }
        if request.zeroed { all = all.union(.zeroed) }
        guard let memory = unsafe Backend.allocate(request.byteCount, all) else {
            unreserve(usable)
            return .refused(needed: usable)
        }
        directBytes += usable
        backendAllocations += 1
        let bin = CacheLayout.spanBin(Granule.count(request.byteCount))
        unsafe countAllocation(bin: bin, byteCount: request.byteCount, cache: cache, missed: true)
        return unsafe .block(Block(address: memory, kind: .direct))
    }

    private mutating func freeDirect(_ address: UnsafeMutableRawPointer, byteCount: Int, cache: ThreadCachePointer?) {
        let usable = unsafe sallocx(address, [])
        unsafe Backend.free(address)
        directBytes -= usable
        unreserve(usable)
        let bin = CacheLayout.spanBin(Granule.count(byteCount))
        unsafe countFree(bin: bin, byteCount: byteCount, cache: cache)
    }
}
