/// The adaptive pool: each tensor goes to the strategy that suits it.
///
/// Weights are optimized; tensors up to 32 KiB standard, above 1 MiB optimized; short-lived ones up to 64 KiB standard;
/// what lies between is decided by measurement (see ``AdaptiveConfiguration``). ``explain(byteCount:isModelWeight:isTemporary:)``
/// tells the strategy, the rule and the figures. A tensor is freed where it was allocated, whatever was decided since.
/// Threads may share the pool; dropping it while tensors live is safe.
public final class AdaptiveTensorMemoryPool: TensorAllocator {
    /// How this pool was set up.
    public let configuration: AdaptiveConfiguration
    /// The base pool whose memory this pool hands out.
    public let base: HybridMemoryPool
    /// The pool of the standard strategy that this one routes to.
    public let standard: TensorMemoryPool
    /// The pool of the optimized strategy that this one routes to.
    public let optimized: OptimizedTensorMemoryPool

    @usableFromInline let standardFront: EngineFront
    @usableFromInline let optimizedFront: EngineFront
    @usableFromInline let routes: RouteTable

    /// Makes an adaptive pool on a base.
    ///
    /// - Throws: What ``TensorMemoryPool`` and ``OptimizedTensorMemoryPool`` throw on construction.
    public init(
        _ base: HybridMemoryPool, configuration: AdaptiveConfiguration = AdaptiveConfiguration()
    ) throws(TensorPoolError) {
        try configuration.validate()
        self.configuration = configuration
        self.base = base
        let memory = base.memory.limited(to: configuration.byteLimit)
        var parts = configuration
        parts.standard.debugging = parts.standard.debugging.union(configuration.debugging)
        parts.standard.scrubOnFree = parts.standard.scrubOnFree || configuration.scrubOnFree
        parts.optimized.debugging = parts.optimized.debugging.union(configuration.debugging)
        parts.optimized.scrubOnFree = parts.optimized.scrubOnFree || configuration.scrubOnFree
        standard = try TensorMemoryPool(base, configuration: parts.standard, memory: memory)
        optimized = try OptimizedTensorMemoryPool(base, configuration: parts.optimized, memory: memory)
        standardFront = standard.front
        optimizedFront = optimized.front
        routes = RouteTable(
            configuration, standardEngine: standardFront.number, optimizedEngine: optimizedFront.number)
    }

    /// Makes an adaptive pool that sends every tensor to one strategy.
    ///
    /// - Throws: What ``TensorMemoryPool`` and ``OptimizedTensorMemoryPool`` throw on construction.
    public convenience init(_ base: HybridMemoryPool, strategy: AllocationStrategy) throws(TensorPoolError) {
        try self.init(base)
        forcedStrategy = strategy
    }

    /// The strategy every tensor but weights is sent to, or nil where each is decided. May be set at any time.
    public var forcedStrategy: AllocationStrategy? {
        get { routes.forced }
        set { routes.forced = newValue }
    }

    // MARK: - TensorAllocator

    /// Allocates a tensor that is freed at the end of the returned value's life. See ``TensorAllocator``.
    ///
    /// Cost: that of the better strategy and a table look-up: 5 to 11 ns (2-core x86-64 VM) at any size that the thread has freed before.
    @inlinable @inline(__always)
    public func allocate(
        byteCount: Int, alignment: Int = 64, zeroed: Bool = false, traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> TensorBuffer {
        if EngineFront.isPlain(alignment) && traits.isCacheable {
            let place: BlockKind
            let route: RouteTable.Route
            let cached: UnsafeMutableRawPointer?
            if let own = EngineFront.ownKind(byteCount, smallCeiling: TensorMemoryPool.smallCeiling) {
                place = own
                route = routes.route(ofBin: place.bin, role: traits.role)
                unsafe cached = HotPath.pop(engine: route.engine, kind: route.kind, byteCount: byteCount)
            } else {
                place = .span(Granule.count(byteCount))
                route = routes.route(ofBin: place.bin, role: traits.role)
                unsafe cached = HotPath.popShared(engine: route.engine, byteCount: byteCount)
            }
            if let address = unsafe cached {
                if zeroed { unsafe optimizedFront.engine.zero(address, byteCount) }
                return unsafe TensorBuffer(
                    start: address, byteCount: byteCount, engine: route.engine, kind: route.kind)
            }
            // The standard strategy has nothing warm beyond its thread caches but blocks of classes.
            if !zeroed && (route.kind.isSmall || route.engine != standardFront.number)
                && !routes.isLookDue(ofBin: place.bin),
                let address = unsafe WarmPath(engine: route.engine).take(route.kind, byteCount: byteCount)
            {
                return unsafe TensorBuffer(
                    start: address, byteCount: byteCount, engine: route.engine, kind: route.kind)
            }
        }
        return try allocateBuffer(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
    }

    /// Allocates a tensor that is freed by ``deallocateTensor(id:_:)``. See ``TensorAllocator``.
    @inlinable @inline(__always)
    public func allocateTensor(
        id: UInt64, byteCount: Int, device: TensorDevice, isModelWeight: Bool, isTemporary: Bool
    ) throws(TensorPoolError) -> MemoryHandle {
        let traits = TensorTraits(device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
        if traits.isCacheable {
            if let place = EngineFront.ownKind(byteCount, smallCeiling: TensorMemoryPool.smallCeiling) {
                let route = routes.route(ofBin: place.bin, role: traits.role)
                if let tensor = unsafe HotPath.popTensor(
                    engine: route.engine, kind: route.kind, byteCount: byteCount, id: id)
                {
                    return unsafe MemoryHandle(
                        tensor, byteCount: byteCount, tensorID: id, serial: serial(route), kind: route.kind)
                }
            } else {
                let kind = BlockKind.span(Granule.count(byteCount))
                let route = routes.route(ofBin: kind.bin, role: traits.role)
                if let tensor = unsafe HotPath.popSharedTensor(engine: route.engine, byteCount: byteCount, id: id) {
                    return unsafe MemoryHandle(
                        tensor, byteCount: byteCount, tensorID: id, serial: serial(route), kind: kind)
                }
            }
        }
        return try allocateHandle(id: id, byteCount: byteCount, traits: traits)
    }

    /// Frees a tensor of this pool. See ``TensorAllocator``.
    @inlinable @inline(__always)
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        if handle.serial == standardFront.serial {
            try standardFront.deallocateTensor(id: id, handle)
        } else {
            try optimizedFront.deallocateTensor(id: id, handle)
        }
    }

    /// Figures of this moment, both strategies together. See ``TensorAllocator``.
    public func statistics() -> PoolStatistics {
        var sum = standard.statistics()
        sum.add(optimized.statistics())
        return sum
    }

    /// Gives back what no tensor uses. See ``TensorAllocator``.
    @discardableResult public func trim() -> TrimResult {
        TrimResult.measuring { standardFront.engine.returnIdle() + optimizedFront.engine.returnIdle() }
    }

    // MARK: - Routing

    @inlinable @inline(__always)
    func serial(_ route: RouteTable.Route) -> UInt64 {
        route.engine == standardFront.number ? standardFront.serial : optimizedFront.serial
    }

    @usableFromInline @inline(never)
    func allocateBuffer(byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits) throws(TensorPoolError)
        -> TensorBuffer
    {
        let bin = RouteTable.bin(byteCount)
        if let trial = routes.trial(byteCount: byteCount, bin: bin, role: traits.role) {
            try Engine.validate(byteCount: byteCount, alignment: alignment, device: traits.device)
            run(trial)
        }
        // No variable for the engine: it is not to be retained.
        return isStandard(byteCount, bin, traits.role)
            ? try standardFront.allocateWarm(
                smallCeiling: TensorMemoryPool.smallCeiling,
                byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
            : try optimizedFront.allocateWarm(
                smallCeiling: OptimizedTensorMemoryPool.smallCeiling,
                byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
    }

    /// Times a pair of its own beside the request that it was due at: that goes where all of its size go.
    @inline(never)
    func run(_ trial: RouteTable.Trial) {
        let engine = trial.strategy == .standard ? standardFront.engine : optimizedFront.engine
        if let cost = engine.timePair(byteCount: trial.byteCount) { routes.record(trial, cost) }
    }

    @usableFromInline @inline(never)
    func allocateHandle(id: UInt64, byteCount: Int, traits: TensorTraits) throws(TensorPoolError) -> MemoryHandle {
        let bin = RouteTable.bin(byteCount)
        if let trial = routes.trial(byteCount: byteCount, bin: bin, role: traits.role) {
            try Engine.validate(byteCount: byteCount, alignment: 64, device: traits.device)
            run(trial)
        }
        return isStandard(byteCount, bin, traits.role)
            ? try standardFront.engine.requestHandle(id: id, byteCount: byteCount, traits: traits)
            : try optimizedFront.engine.requestHandle(id: id, byteCount: byteCount, traits: traits)
    }

    @inline(__always)
    private func isStandard(_ byteCount: Int, _ bin: Int, _ role: TensorRole) -> Bool {
        if role == .weight { return false }
        // The error for a size that is none is the same everywhere.
        return byteCount <= 0 || routes.route(ofBin: bin, role: role).engine == standardFront.number
    }
}
