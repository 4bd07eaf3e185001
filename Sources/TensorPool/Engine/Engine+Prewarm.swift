/// Memory made ready ahead of time.
extension Engine {
    /// Fills the depot and backs granules, all of it touched. On an error what was made ready so far stays, unused.
    func prewarm(_ amounts: OptimizedTensorPoolConfig.Prewarming) throws(TensorPoolError) {
        let isEnough = withState { state in
            state.prewarmClasses(upTo: 4 << 10, byteCount: amounts.verySmall)
                && state.prewarmClasses(over: 4 << 10, upTo: smallCeiling, byteCount: amounts.small)
                && state.prewarmSpans(amounts.medium + amounts.large + amounts.veryLarge)
        }
        guard !isEnough else { return }
        throw base.limitError(requested: amounts.byteCount, needed: amounts.byteCount)
    }
}

extension EngineState {
    /// Shares bytes out among the size classes of a range, each block from the arena, each page touched. False where
    /// limit or system stood in the way.
    mutating func prewarmClasses(over low: Int = 0, upTo high: Int, byteCount: Int) -> Bool {
        let classes = (0..<SizeClass.count).filter {
            SizeClass.byteCount($0) > low && SizeClass.byteCount($0) <= high
        }
        guard byteCount > 0, !classes.isEmpty else { return true }
        // No allocation of a tensor waited for this.
        let counted = backendAllocations
        defer { backendAllocations = counted }
        let share = byteCount / classes.count
        for index in classes {
            let size = SizeClass.byteCount(index)
            let wanted = max(1, share / size)
            let missing = wanted - depot.count(ofClass: index)
            guard missing > 0 else { continue }
            let entries = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: missing)
            defer { unsafe entries.deallocate() }
            guard case .success(let count) = unsafe allocateFromArena(index, upTo: missing, into: entries) else {
                return false
            }
            for entry in 0..<count {
                for offset in stride(from: 0, to: size, by: SystemMemory.pageByteCount) {
                    unsafe (entries[entry] + offset).storeBytes(of: 0, as: UInt8.self)
                }
            }
            unsafe depot.put(entries, count, class: index)
            depot.markPrewarmed(class: index)
            if count < missing { return false }
        }
        return true
    }

    /// Backs bytes of the span heap. False where limit or system stood in the way.
    mutating func prewarmSpans(_ byteCount: Int) -> Bool {
        guard configuration.usesSpanHeap, byteCount > 0 else { return byteCount == 0 }
        let huge = SystemMemory.hugePageByteCount
        let wanted = (byteCount + huge - 1) & -huge
        guard reserve(wanted) else { return false }
        var missing = Granule.count(wanted)
        while missing > 0 {
            let backed = unsafe heap.back(upTo: missing) { unsafe SystemMemory.populate($0, $1) }
            missing -= backed
            if missing > 0 && backed == 0 && !addSlab(holding: missing << Granule.shift) {
                unreserve(missing << Granule.shift)
                return false
            }
        }
        return true
    }
}
