internal import CDebugging

/// Read-only weights, and weights locked in memory.
extension Engine {
    /// Makes weights read-only. Returns what this call changed.
    func freezeWeights() throws(TensorPoolError) -> [WeightRange] {
        try withState { state throws(TensorPoolError) in
            try state.forEachWeightRange(.frozen) { range throws(TensorPoolError) in
                if let code = unsafe SystemMemory.protect(range.start, range.used, isWritable: false) {
                    throw .protectionRefused(byteCount: range.used, code: code)
                }
            } undo: { range in
                unsafe _ = SystemMemory.protect(range.start, range.used, isWritable: true)
                // What was frozen before stays so.
                unsafe _ = SystemMemory.protect(range.start, range.frozen, isWritable: false)
            }
        }
    }

    /// Locks weights in memory. Returns what this call changed.
    func lockWeights() throws(TensorPoolError) -> [WeightRange] {
        try withState { state throws(TensorPoolError) in
            try state.forEachWeightRange(.locked) { range throws(TensorPoolError) in
                guard unsafe SystemMemory.lock(range.start, range.used) else {
                    throw .memoryLockRefused(byteCount: range.used, limit: SystemMemory.memoryLockLimit())
                }
            } undo: { range in
                unsafe SystemMemory.unlock(range.start + range.locked, range.used - range.locked)
            }
        }
    }

    /// Takes back what one call of ``freezeWeights()`` changed.
    func thaw(_ ranges: [WeightRange]) {
        withState { state in
            for range in ranges {
                unsafe _ = SystemMemory.protect(range.start, range.used, isWritable: true)
                unsafe _ = SystemMemory.protect(range.start, range.frozen, isWritable: false)
                unsafe state.setProtected(.frozen, range.frozen, at: range.start)
            }
        }
    }

    /// Takes back what one call of ``lockWeights()`` changed.
    func unlock(_ ranges: [WeightRange]) {
        withState { state in
            for range in ranges {
                unsafe SystemMemory.unlock(range.start + range.locked, range.used - range.locked)
                unsafe state.setProtected(.locked, range.locked, at: range.start)
            }
        }
    }

    func thawWeights() {
        withState { state in
            for range in state.weightRanges() where range.frozen > 0 {
                unsafe _ = SystemMemory.protect(range.start, range.frozen, isWritable: true)
                unsafe state.setProtected(.frozen, 0, at: range.start)
            }
        }
    }

    func unlockWeights() {
        withState { state in
            for range in state.weightRanges() where range.locked > 0 {
                unsafe SystemMemory.unlock(range.start, range.locked)
                unsafe state.setProtected(.locked, 0, at: range.start)
            }
        }
    }

    func frozenByteCount() -> Int { withState { $0.weightRanges().reduce(0) { $0 + $1.frozen } } }

    func lockedByteCount() -> Int { withState { $0.weightRanges().reduce(0) { $0 + $1.locked } } }

    /// Overwrites a weight that is being freed, read-only or not.
    func scrubWeight(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        withState { unsafe $0.scrubWeight(address, byteCount) }
    }
}

extension EngineState {
    /// All pages with weights.
    func weightRanges() -> [WeightRange] { weights.ranges + Array(promotedSpans.values) }

    mutating func setProtected(
        _ protection: WeightRange.Protection, _ byteCount: Int, at start: UnsafeMutableRawPointer
    ) {
        unsafe weights.setProtected(protection, byteCount, at: start)
        let key = UInt(bitPattern: start)
        promotedSpans[key]?[protection] = byteCount
    }

    /// Protects all pages with weights; where one is refused, none. Returns those that changed, as they were before.
    fileprivate mutating func forEachWeightRange(
        _ protection: WeightRange.Protection, _ protect: (WeightRange) throws(TensorPoolError) -> Void,
        undo: (WeightRange) -> Void
    ) throws(TensorPoolError) -> [WeightRange] {
        var changed: [WeightRange] = []
        for range in weightRanges() where range[protection] < range.used {
            do throws(TensorPoolError) {
                try protect(range)
                changed.append(range)
            } catch {
                // Part of what was refused may be done.
                for range in changed + [range] { undo(range) }
                throw error
            }
        }
        for range in changed { unsafe setProtected(protection, range.used, at: range.start) }
        return changed
    }

    /// Makes pages what they are outside the weights: before they go back, or are used for others.
    func unprotect(_ start: UnsafeMutableRawPointer, frozen: Int, locked: Int) {
        unsafe _ = SystemMemory.protect(start, frozen, isWritable: true)
        unsafe SystemMemory.unlock(start, locked)
    }

    func scrubWeight(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        let range = weightRanges().first {
            unsafe $0.start <= address && address < $0.start + $0.used
        }
        if let range, range.frozen > 0 {
            unsafe _ = SystemMemory.protect(range.start, range.frozen, isWritable: true)
        }
        unsafe tensorpool_scrub(address, byteCount)
        if let range, range.frozen > 0 {
            unsafe _ = SystemMemory.protect(range.start, range.frozen, isWritable: false)
        }
    }
}
