internal import CThreadSlot
internal import Jemalloc

/// One strategy at work: thread caches in front, depot and span heap behind, the arenas of a ``HybridMemoryPool`` below.
///
///     allocate ──▶ thread cache ──miss──▶ depot (size classes) ──miss──▶ arena: mallocx
///                  (no lock)              span heap (granules)  ──full─▶ arena: a slab by mallocx
///     free ──────▶ thread cache ──over──▶ depot / span heap, where neighbours join
///
/// The hot path is in ``HotPath``; everything in this class runs under one lock per engine. An engine lives from its
/// first use until its pool is gone and its last block is back.
@safe @usableFromInline final class Engine: @unchecked Sendable {
    /// The place of this engine's caches in every thread's table.
    @usableFromInline let number: UInt32
    /// Told apart from every engine before and after: what handles carry.
    @usableFromInline let serial: UInt64
    let base: BaseMemory
    /// When the engine was made, by the monotonic clock.
    let startNanoseconds = MonotonicClock.now()
    let strategy: AllocationStrategy
    let smallCeiling: Int
    let vectorizedFilling: Bool
    let promotesInPlace: Bool
    /// Whether guard pages or lifetimes are drawn from sampled allocations, so that each must be as likely to be one.
    let drawsSamples: Bool
    /// From one sampled allocation of a size by a thread to the next, at most.
    var longestSampleInterval: Int {
        unsafe drawsSamples ? CacheBin.firstSampleInterval : CacheBin.longestSampleInterval
    }
    /// How long idle memory lay idle; nil where it does not go back by its age. Guarded by `lock`.
    let idleAges: IdleAges?
    /// What watches over the tensors; nil without debugging modes and scrubbing. Guarded by `lock`.
    let guards: Guards?

    let lock = EngineLock()
    /// Guarded by `lock`. In memory of its own: a stored property would be checked for exclusive access at each use.
    let state: UnsafeMutablePointer<EngineState>

    init(base: BaseMemory, configuration: EngineConfiguration) throws(TensorPoolError) {
        guard let claim = EngineRegistry.claimNumber() else {
            throw .tooManyPools(maximum: EngineRegistry.capacity)
        }
        number = claim.number
        serial = claim.serial
        strategy = configuration.strategy
        smallCeiling = configuration.smallCeiling
        vectorizedFilling = configuration.vectorizedFilling
        promotesInPlace = configuration.promotesInPlace
        drawsSamples = configuration.samplesLifetimes || configuration.debugging.guardPageInterval != nil
        idleAges = configuration.idleReleaseNanoseconds.map { IdleAges(nanoseconds: $0) }
        self.base = base
        guards =
            configuration.debugging.isActive || configuration.scrubsOnFree
            ? Guards(configuration.debugging, scrubs: configuration.scrubsOnFree) : nil
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: EngineState(base: base, configuration: configuration, guards: guards))
        EngineRegistry.enter(self)
        base.add(self)
        if configuration.debugging.reportsLeaks { LeaksAtExit.arrange() }
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// Runs `body` with the state, locked. `body` must not call back into this engine.
    func withState<Result: ~Copyable, Failure: Error>(
        _ body: (inout EngineState) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let cache = unsafe ownCache
        let isBiased = unsafe lock.lock(cache)
        defer { unsafe lock.unlock(cache, isBiased: isBiased) }
        return try unsafe body(&state.pointee)
    }

    /// Runs `body` with the state, locked in the way of who makes the lock forget caches.
    func withStateToForget<Result>(_ body: (inout EngineState) -> Result) -> Result {
        let cache = unsafe ownCache
        unsafe lock.lockToForget(cache)
        defer { unsafe lock.unlock(cache, isBiased: false) }
        return unsafe body(&state.pointee)
    }

    // MARK: - The end

    /// Says that the pool is gone. What is cached goes back now, the rest with the last block.
    func close() {
        if let guards, guards.options.reportsLeaks {
            for leak in leaks() { base.shared.findings.report(leak) }
        }
        let isDone = withStateToForget { state in
            state.isClosed = true
            unsafe quiesce(&state, keepingEntries: false) { state, cache in unsafe state.empty(cache) }
            for place in unsafe state.caches.indices {
                let cache = unsafe state.caches[place]
                unsafe cache.pointee.owner = nil
                unsafe cache.endWarmGrant()
                unsafe lock.forget(cache)
            }
            state.returnIdleMemory()
            return state.liveBlocks == 0
        }
        deliverFindings()
        if isDone { end() }
    }

    /// Gives everything back. No block is out and no pool refers to this engine.
    func end() {
        withState { $0.returnEverything() }
        deliverFindings()
        base.remove(self)
        EngineRegistry.leave(self)
    }
}
