/// Giving idle memory back in part, and by its age.
extension Engine {
    func reservedByteCount() -> Int { withState { $0.reservedBytes } }

    /// Gives up idle memory of at least so many bytes, or all there is: free spans and the depot, and where asked what
    /// threads keep. Returns the reserved bytes given up; the arenas are not purged.
    func returnIdle(atLeast byteCount: Int, emptyingCaches: Bool) -> Int {
        defer { deliverFindings() }
        return withState { state in
            let before = state.reservedBytes
            if emptyingCaches { unsafe quiesce(&state) { state, cache in unsafe state.empty(cache) } }
            let emptied = before - state.reservedBytes
            if emptied < byteCount { state.returnIdleMemory(atLeast: byteCount - emptied) }
            return before - state.reservedBytes
        }
    }

    /// Whether idle memory goes back by its age.
    var releasesIdle: Bool { idleAges != nil }

    /// Gives up what was idle for longer than the configuration allows. Returns the reserved bytes given up; the arenas
    /// are not purged.
    func releaseIdle(at nanoseconds: UInt64) -> Int {
        guard let idleAges else { return 0 }
        return withState { state in
            guard idleAges.isDue(nanoseconds) else { return 0 }
            let before = state.reservedBytes
            let emptied = exclude(&state) { idleAges.emptyIdleBins(&$0, at: nanoseconds) }
            // Other threads are back in their caches while pages are returned.
            idleAges.release(&state, emptied, at: nanoseconds)
            return before - state.reservedBytes
        }
    }
}

extension EngineState {
    /// Gives back free spans, then the depot's blocks, largest first, of at least so many bytes.
    mutating func returnIdleMemory(atLeast byteCount: Int) {
        let reserved = reservedBytes
        guards?.flush(&self)
        var missing = byteCount - (reserved - reservedBytes)
        guard missing > 0 else { return }
        let released = unsafe heap.releaseFree(atLeast: Granule.count(missing)) { unsafe SystemMemory.release($0, $1) }
        unreserve(released << Granule.shift)
        missing -= released << Granule.shift
        for index in (0..<SizeClass.count).reversed() where missing > 0 {
            let size = SizeClass.byteCount(index)
            let count = depot.count(ofClass: index)
            let returned = min(count, (missing - 1) / size + 1)
            returnDepot(index, keeping: count - returned)
            missing -= returned * size
        }
    }
}
