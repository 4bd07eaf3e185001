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
            configuration, standardSerial: standardFront.serial, optimizedSerial: optimizedFront.serial)
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
            // Not as one route: what a handle needs of it beside these would be kept through the hot path.
            let engine: UInt32
            let kind: BlockKind
            let cached: UnsafeMutableRawPointer?
            if let own = EngineFront.ownKind(byteCount, smallCeiling: TensorMemoryPool.smallCeiling) {
                place = own
                let route = routes.route(ofBin: own.bin, role: traits.role)
                engine = route.engine
                kind = route.kind
                unsafe cached = HotPath.pop(engine: engine, kind: kind, byteCount: byteCount)
            } else {
                place = .span(Granule.count(byteCount))
                engine = routes.route(ofShared: place).engine
                kind = place
                unsafe cached = HotPath.popShared(engine: engine, byteCount: byteCount)
            }
            if let address = unsafe cached {
                if zeroed { unsafe optimizedFront.engine.zero(address, byteCount) }
                return unsafe TensorBuffer(start: address, byteCount: byteCount, engine: engine, kind: kind)
            }
            if !zeroed && hasWarm(engine, kind) && !routes.isLookDue(ofBin: place.bin),
                let address = unsafe WarmPath(engine: engine).take(kind, byteCount: byteCount)
            {
                return unsafe TensorBuffer(start: address, byteCount: byteCount, engine: engine, kind: kind)
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
            let place: BlockKind
            let route: RouteTable.Route
            var cached: HotPath.Tensor?
            if let own = EngineFront.ownKind(byteCount, smallCeiling: TensorMemoryPool.smallCeiling) {
                place = own
                route = routes.route(ofBin: place.bin, role: traits.role)
                unsafe cached = HotPath.popTensor(
                    engine: route.engine, kind: route.kind, byteCount: byteCount, id: id)
            } else {
                place = .span(Granule.count(byteCount))
                route = routes.route(ofShared: place)
                unsafe cached = HotPath.popSharedTensor(engine: route.engine, byteCount: byteCount, id: id)
            }
            if unsafe cached == nil && hasWarm(route.engine, route.kind) && !routes.isLookDue(ofBin: place.bin) {
                unsafe cached = WarmPath(engine: route.engine).takeTensor(route.kind, byteCount: byteCount, id: id)
            }
            if let tensor = unsafe cached {
                return unsafe MemoryHandle(
                    tensor, byteCount: byteCount, tensorID: id, serial: route.serial, kind: route.kind)
            }
        }
        let handle = try allocateHandle(id: id, byteCount: byteCount, traits: traits)
        // Said again, field by field: what is one value on all ways need not be kept, or compared at the free.
        return unsafe MemoryHandle(
            baseAddress: handle.baseAddress, byteCount: byteCount, tensorID: id, record: handle.record,
            state: handle.state, serial: handle.serial, kind: handle.kind)
    }

    /// Frees a tensor of this pool. See ``TensorAllocator``.
    @inlinable @inline(__always)
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        let isOwn = handle.serial == standardFront.serial || handle.serial == optimizedFront.serial
        if isOwn && handle.tensorID == id
            && EngineFront.deallocate(engine: EngineSerial.number(handle.serial), handle)
        {
            return
        }
        unsafe try returnHandle(
            id: id, handle.baseAddress, byteCount: handle.byteCount, tensorID: handle.tensorID, record: handle.record,
            state: handle.state, serial: handle.serial, kind: handle.kind)
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

    /// Whether the warm path may have something: the standard strategy has nothing beyond its thread caches but blocks of
    /// classes.
    @inlinable @inline(__always)
    func hasWarm(_ engine: UInt32, _ kind: BlockKind) -> Bool { kind.isSmall || engine != standardFront.number }

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
            ? try standardFront.allocateWarmTensor(
                smallCeiling: TensorMemoryPool.smallCeiling, id: id, byteCount: byteCount, traits: traits)
            : try optimizedFront.allocateWarmTensor(
                smallCeiling: OptimizedTensorMemoryPool.smallCeiling, id: id, byteCount: byteCount, traits: traits)
    }

    /// Frees the tensor of a handle, given field by field, on the slow path.
    @usableFromInline @inline(never)
    func returnHandle(
        id: UInt64, _ baseAddress: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64,
        record: BlockRecordPointer, state: UInt64, serial: UInt64, kind: BlockKind
    ) throws(TensorPoolError) {
        let handle = unsafe MemoryHandle(
            baseAddress: baseAddress, byteCount: byteCount, tensorID: tensorID, record: record, state: state,
            serial: serial, kind: kind)
        serial == standardFront.serial
            ? try standardFront.engine.returnHandle(id: id, handle)
            : try optimizedFront.engine.returnHandle(id: id, handle)
    }

    @inline(__always)
    private func isStandard(_ byteCount: Int, _ bin: Int, _ role: TensorRole) -> Bool {
        if role == .weight { return false }
        // The error for a size that is none is the same everywhere.
        return byteCount <= 0 || routes.route(ofBin: bin, role: role).engine == standardFront.number
    }
}
