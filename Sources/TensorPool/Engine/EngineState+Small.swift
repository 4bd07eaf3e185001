internal import CThreadSlot
internal import Jemalloc

/// Blocks of size classes: from the thread's cache, the depot, the arena, in that order, and back.
extension EngineState {
    mutating func allocateSmall(_ index: Int, _ request: BlockRequest, cache: ThreadCachePointer?) -> Served {
        guard let cache = unsafe cache else {
            var block = unsafe depot.take(class: index)
            if unsafe block == nil {
                let served = unsafe withUnsafeMutablePointer(to: &block) { block in
                    unsafe block.withMemoryRebound(to: UnsafeMutableRawPointer.self, capacity: 1) {
                        unsafe allocateFromArena(index, upTo: 1, into: $0)
                    }
                }
                guard case .success = served else { return served.failure(needed: SizeClass.byteCount(index)) }
            }
            unsafe countAllocation(bin: index, byteCount: request.byteCount, cache: nil, missed: true)
            return unsafe .block(Block(address: block.unsafelyUnwrapped, kind: .small(index)))
        }
        let bin = unsafe cache.bin(index)
        let missed = unsafe bin.pointee.isEmpty
        if missed {
            let served = unsafe refill(index, cache)
            guard case .success = served else { return served.failure(needed: SizeClass.byteCount(index)) }
        }
        let address = unsafe bin.pointee.pop()
        unsafe countAllocation(bin: index, byteCount: request.byteCount, cache: cache, missed: missed)
        return unsafe .block(Block(address: address, kind: .small(index)))
    }

    @inline(never)
    mutating func freeSmall(
        _ address: UnsafeMutableRawPointer, _ index: Int, byteCount: Int, cache: ThreadCachePointer?
    ) {
        unsafe countFree(bin: index, byteCount: byteCount, cache: cache)
        guard let cache = unsafe cache else { return unsafe putIntoDepot(address, class: index) }
        let bin = unsafe cache.bin(index)
        if unsafe bin.pointee.isFull { unsafe raiseLimit(index, cache) }
        if unsafe bin.pointee.isFull {
            // The oldest go: what was freed last is warm.
            unsafe flush(index, bin, keeping: max(0, bin.pointee.limit - Self.batch(bin.pointee.limit)))
        }
        guard unsafe !bin.pointee.isFull else { return unsafe putIntoDepot(address, class: index) }
        unsafe bin.pointee.push(address)
    }

    /// How many blocks go between a bin and the depot at a time: half of what the bin may keep, and no more than are moved
    /// in the time that a visit takes anyway. Moving 64 showed in the slowest of a thousand operations.
    private static func batch(_ limit: Int) -> Int { max(1, min(limit / 2, 16)) }

    /// Moves all but the newest `keeping` blocks of a small bin to the depot.
    mutating func flush(_ index: Int, _ bin: UnsafeMutablePointer<CacheBin>, keeping: Int) {
        guard unsafe bin.pointee.count > keeping else { return }
        unsafe bin.pointee.rearrange { entries, count in
            unsafe putIntoDepot(entries, count - keeping, class: index)
            unsafe entries.update(from: entries + (count - keeping), count: keeping)
            return keeping
        }
        boundDepot(index)
    }

    private mutating func putIntoDepot(_ address: UnsafeMutableRawPointer, class index: Int) {
        var address = unsafe address
        unsafe putIntoDepot(&address, 1, class: index)
        boundDepot(index)
    }

    /// Blocks that the depot has no memory to remember go back to the arena: a free cannot be refused.
    private mutating func putIntoDepot(
        _ entries: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int, class index: Int
    ) {
        if unsafe !depot.put(entries, count, class: index) { unsafe returnToArena(entries, count, class: index) }
    }

    mutating func returnToArena(_ entries: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int, class index: Int) {
        for entry in 0..<count { unsafe Backend.free(entries[entry]) }
        unreserve(count * SizeClass.byteCount(index))
    }

    /// Doubles how many blocks of a class a thread may keep, as long as its byte budget allows.
    mutating func raiseLimit(_ index: Int, _ cache: ThreadCachePointer) {
        let bin = unsafe cache.bin(index)
        let size = SizeClass.byteCount(index)
        let limit = unsafe bin.pointee.limit
        let room = unsafe max(0, configuration.smallCacheByteLimit - cache.pointee.grantedSmallBytes) / size
        let raised = unsafe min(max(2 * limit, 4), limit + room, bin.pointee.capacity)
        guard raised > limit else { return }
        unsafe cache.pointee.grantedSmallBytes += (raised - limit) * size
        unsafe bin.pointee.limit = raised
    }

    /// Fills an empty bin with at least one block.
    private mutating func refill(_ index: Int, _ cache: ThreadCachePointer) -> ArenaOutcome {
        let bin = unsafe cache.bin(index)
        var taken = unsafe refillFromDepot(index, cache)
        if taken == 0 {
            // No more than a granule at a time: what is not asked for is not reserved either.
            let batch = unsafe max(1, min(bin.pointee.limit / 2, Granule.byteCount / SizeClass.byteCount(index)))
            let outcome = unsafe allocateFromArena(index, upTo: batch, into: bin.pointee.entries)
            guard case .success(let count) = outcome else { return outcome }
            taken = count
            for entry in 0..<taken { unsafe prefetch(bin.pointee.entries[entry]) }
        }
        unsafe bin.pointee.fill(taken)
        return .success(taken)
    }

    /// Moves blocks of the depot to the empty bin of a class. Returns how many; the bin is the caller's to fill.
    mutating func refillFromDepot(_ index: Int, _ cache: ThreadCachePointer) -> Int {
        unsafe raiseLimit(index, cache)
        let bin = unsafe cache.bin(index)
        let taken = unsafe depot.take(Self.batch(bin.pointee.limit), class: index, into: bin.pointee.entries)
        if configuration.prefetchLines > 0 {
            for entry in 0..<taken { unsafe prefetch(bin.pointee.entries[entry]) }
        }
        return taken
    }

    /// Brings the first lines of a block that leaves a slow path into the processor's cache.
    func prefetch(_ block: UnsafeMutableRawPointer) {
        for line in 0..<configuration.prefetchLines { unsafe tensorpool_prefetch_for_write(block + line * 64) }
    }

    // MARK: - The arena below

    enum ArenaOutcome {
        case success(Int)
        case limitReached
        case refused

        func failure(needed: Int) -> Served {
            if case .limitReached = self { .limitReached(needed: needed) } else { .refused(needed: needed) }
        }
    }

    /// Gets up to `count` blocks of a class from the arena: as many as limit and system allow, at least one.
    mutating func allocateFromArena(
        _ index: Int, upTo count: Int, into entries: UnsafeMutablePointer<UnsafeMutableRawPointer>
    ) -> ArenaOutcome {
        let size = SizeClass.byteCount(index)
        guard let flags = flags(TensorSizeCategory(byteCount: size)) else { return .refused }
        var granted = count
        while !reserve(granted * size) {
            if granted == 1 { return .limitReached }
            granted = 1
        }
        let aligned = flags.union(.alignment(max(64, SizeClass.alignment(index))))
        var got = 0
        while got < granted, let block = unsafe Backend.allocate(size, aligned) {
            unsafe entries[got] = block
            got += 1
        }
        unreserve((granted - got) * size)
        backendAllocations += got > 0 ? 1 : 0
        return got > 0 ? .success(got) : .refused
    }

    /// Gives the blocks of a class that stand in the depot back to the arena, all but `keeping`.
    mutating func returnDepot(_ index: Int, keeping: Int) {
        let size = SizeClass.byteCount(index)
        guard depot.count(ofClass: index) > keeping, let flags = flags(TensorSizeCategory(byteCount: size)) else {
            return
        }
        let aligned = flags.union(.alignment(max(64, SizeClass.alignment(index))))
        while depot.count(ofClass: index) > keeping, let block = unsafe depot.take(class: index) {
            unsafe sdallocx(block, size, aligned)
            unreserve(size)
        }
    }

    private mutating func boundDepot(_ index: Int) {
        guard depot.byteCount > configuration.depotByteLimit else { return }
        returnDepot(index, keeping: depot.count(ofClass: index) / 2)
    }
}
