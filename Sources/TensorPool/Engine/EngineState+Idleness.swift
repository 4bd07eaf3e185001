/// Looking for idle memory now and then, on slow paths.
extension EngineState {
    /// Nanoseconds between two looks at the system's memory pressure.
    private static let pressureInterval: UInt64 = 100_000_000

    /// Gives idle memory back where the system is short of it, if this engine is to look.
    private mutating func relievePressure() {
        guard let threshold = configuration.pressureThreshold else { return }
        let now = MonotonicClock.now()
        guard now - lastPressureLook >= Self.pressureInterval else { return }
        lastPressureLook = now
        guard pressure().level >= threshold else { return }
        pressureReleases += 1
        returnIdleMemory()
    }

    /// How many slow operations of a thread lie between two looks at its bins.
    static let sweepInterval = warmGrant + 1

    /// Operations that a thread may do on the warm path between two on the cold one: enough that the cold path does not
    /// show in the slowest of a thousand. Even: a loop of one allocation and one free comes to the cold path with both in
    /// turn.
    static let warmGrant: Int32 = 4094

    /// Whether the thread is on the cold path for no other reason than that it has used its grant.
    func hasUsedWarmGrant(_ cache: ThreadCachePointer) -> Bool {
        unsafe cache.pointee.warmLeft == 0 && cache.pointee.warmGranted == Self.warmGrant
    }

    /// Settles, and now and then takes the limits of bins that were not used since the last look, so that a thread's byte
    /// budget follows its work.
    mutating func noteSlowOperation(_ cache: ThreadCachePointer) {
        unsafe settle(cache)
        unsafe cache.pointee.slowOperations += 1 + cache.pointee.warmGranted - cache.pointee.warmLeft
        let grant: Int32 = unsafe isClosed || cache.pointee.hasInbox ? 0 : Self.warmGrant
        unsafe cache.pointee.warmLeft = grant
        unsafe cache.pointee.warmGranted = grant
        guard unsafe cache.pointee.slowOperations >= Self.sweepInterval else { return }
        unsafe cache.pointee.slowOperations = 0
        relievePressure()
        noteQuietLook()
        unsafe boundSpanBins(cache)
        let isIdleLookDue = configuration.shrinksIdleBins && MonotonicClock.now() - lastIdleLook >= idleInterval
        if isIdleLookDue { returnUnusedGranules() }
        for index in 0..<CacheLayout.recordBin {
            let bin = unsafe cache.bin(index)
            guard unsafe bin.pointee.limit > 0, unsafe bin.pointee.takeIdleness() else { continue }
            if index < SizeClass.count {
                unsafe flush(index, bin, keeping: 0)
                unsafe cache.pointee.grantedSmallBytes -= bin.pointee.limit * SizeClass.byteCount(index)
                unsafe bin.pointee.limit = 0
                if isIdleLookDue { returnDepot(index, keeping: 0) }
            } else {
                unsafe emptySpanBin(index, cache)
            }
        }
    }

    /// Gives the granules back to the system that were not needed since the last look, a second or more ago: what a step
    /// of the work needs again soon is not given back and got anew, at a page fault each.
    private mutating func returnUnusedGranules() {
        lastIdleLook = MonotonicClock.now()
        let unused = heap.backedGranules - heap.peakTakenGranules
        heap.forgetPeak()
        guard unused > 0 else { return }
        let released = unsafe heap.releaseFree(atLeast: unused) { unsafe SystemMemory.release($0, $1) }
        unreserve(released << Granule.shift)
    }
}
