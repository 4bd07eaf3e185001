/// Memory made ready ahead of time.
extension Engine {
    /// Fills the depot and backs granules, all of it touched. On an error what was made ready so far stays, unused.
    func prewarm(_ amounts: OptimizedTensorPoolConfig.Prewarming) throws(TensorPoolError) {
        let ceiling = smallCeiling
        let spans = amounts.medium + amounts.large + amounts.veryLarge
        let needed = amounts.verySmall + amounts.small + EngineState.wholeSpans(spans)
        try makeReady(amounts.byteCount, needed: needed) { state in
            let classes = [(0, 4 << 10, amounts.verySmall), (4 << 10, ceiling, amounts.small)]
            for (low, high, byteCount) in classes {
                let outcome = state.prewarmClasses(over: low, upTo: high, byteCount: byteCount)
                guard case .success = outcome else { return outcome }
            }
            return state.prewarmSpans(spans)
        }
    }

    /// Shares bytes out among the size classes of a range.
    func prewarmClasses(over low: Int, upTo high: Int, byteCount: Int) throws(TensorPoolError) {
        try makeReady(byteCount, needed: byteCount) { state in
            state.prewarmClasses(over: low, upTo: high, byteCount: byteCount)
        }
    }

    /// What the machine, or a control group that this process is in, has no room for would be touched until the system
    /// kills the process. A limit of the base's that stands in the way is said by who reaches it.
    private func checkRoom(for byteCount: Int) throws(TensorPoolError) {
        guard byteCount > 0, base.hasRoom(for: byteCount) else { return }
        if byteCount > SystemMemory.physicalByteCount { throw .outOfMemory(byteCount: byteCount) }
        if let room = ControlGroupSource().room(), byteCount > room { throw .outOfMemory(byteCount: byteCount) }
    }

    /// Does the work, and where limit or system stands in its way once more, from the start, after this pool gave up what
    /// it keeps idle, and the others that can make room: what was made ready so far went with it. `needed` is what is
    /// taken from the limits.
    private func makeReady(
        _ byteCount: Int, needed: Int, _ work: (inout EngineState) -> EngineState.ArenaOutcome
    ) throws(TensorPoolError) {
        try checkRoom(for: byteCount)
        let start = MonotonicClock.now()
        defer {
            let end = MonotonicClock.now()
            withState { $0.prewarmNanoseconds += end - start }
        }
        switch withState(work) {
        case .success: return
        case .limitReached: base.returnIdle(needed, for: self, all: false)
        case .refused: base.returnIdle(needed, for: self, all: true)
        }
        try checkRoom(for: byteCount)
        switch withState(work) {
        case .success: return
        case .limitReached: throw base.limitError(requested: byteCount, needed: needed)
        case .refused: throw .outOfMemory(byteCount: byteCount)
        }
    }
}

extension EngineState {
    /// How many blocks are got and touched at a time.
    private static let prewarmBatch = 256

    /// Shares bytes out among the size classes of a range, each block from the arena, each page touched. What the
    /// depot has of a class counts towards its share.
    mutating func prewarmClasses(over low: Int, upTo high: Int, byteCount: Int) -> ArenaOutcome {
        let classes = (0..<SizeClass.count).filter {
            SizeClass.byteCount($0) > low && SizeClass.byteCount($0) <= high
        }
        guard byteCount > 0, !classes.isEmpty else { return .success(0) }
        let entries = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: Self.prewarmBatch)
        defer { unsafe entries.deallocate() }
        for index in classes {
            let size = SizeClass.byteCount(index)
            var missing = byteCount / classes.count / size - depot.count(ofClass: index)
            while missing > 0 {
                let outcome = unsafe allocateFromArena(index, upTo: min(missing, Self.prewarmBatch), into: entries)
                guard case .success(let count) = outcome else { return outcome }
                // Made ready is not asked for.
                backendAllocations -= 1
                for entry in 0..<count {
                    for offset in stride(from: 0, to: size, by: SystemMemory.pageByteCount) {
                        unsafe (entries[entry] + offset).storeBytes(of: 0, as: UInt8.self)
                    }
                }
                guard unsafe depot.putPrewarmed(entries, count, class: index) else {
                    unsafe returnToArena(entries, count, class: index)
                    return .refused
                }
                everPrewarmedBytes += count * size
                missing -= count
            }
        }
        return .success(0)
    }

    /// Bytes rounded up to what the span heap is backed by.
    static func wholeSpans(_ byteCount: Int) -> Int {
        let huge = SystemMemory.hugePageByteCount
        return (byteCount + huge - 1) & -huge
    }

    /// Backs bytes of the span heap, beside what is backed already.
    mutating func prewarmSpans(_ byteCount: Int) -> ArenaOutcome {
        guard configuration.usesSpanHeap, byteCount > 0 else { return .success(0) }
        let wanted = Self.wholeSpans(byteCount)
        guard reserve(wanted) else { return .limitReached }
        var missing = Granule.count(wanted)
        while missing > 0 {
            for place in heap.slabs.indices {
                adviseHugePages(slab: place, upTo: heap.slabs[place].usedEnd + missing)
            }
            let backed = unsafe heap.back(upTo: missing) { unsafe ParallelPopulation.run($0, $1) }
            missing -= backed
            everPrewarmedBytes += backed << Granule.shift
            if missing > 0 && backed == 0 && !addSlab(holding: missing << Granule.shift) {
                unreserve(missing << Granule.shift)
                return .refused
            }
        }
        return .success(0)
    }
}
