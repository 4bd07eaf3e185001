/// The optimized pool: everything warm.
///
/// Every size comes from the calling thread's cache in a few nanoseconds. Behind it stand a depot of size-class blocks
/// and a span heap on huge pages that joins freed neighbours at once; nothing goes back to the system before a trim,
/// another pool's need, or the cleanup that the configuration asks for. Right for tensors that repeat, are large, or
/// live long. Threads may share it; dropping it while tensors live is safe.
public final class OptimizedTensorMemoryPool: TensorAllocator {
    /// How this pool was set up.
    public let configuration: OptimizedTensorPoolConfig
    /// The base pool whose memory this pool hands out.
    public let base: HybridMemoryPool
    @usableFromInline let front: EngineFront

    /// Requests up to this many bytes are rounded to a size class, larger ones to 16 KiB granules: 14 KiB.
    @usableFromInline static var smallCeiling: Int { 14 << 10 }

    /// Makes an optimized pool on a base, and prewarms it as the configuration says.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)``,
    ///   ``TensorPoolError/tooManyPools(maximum:)``, and, where the prewarmed memory does not fit,
    ///   ``TensorPoolError/limitReached(_:)`` or ``TensorPoolError/outOfMemory(byteCount:)``.
    public convenience init(
        _ base: HybridMemoryPool, configuration: OptimizedTensorPoolConfig = OptimizedTensorPoolConfig()
    ) throws(TensorPoolError) {
        try self.init(base, configuration: configuration, memory: base.memory)
    }

    /// Makes an optimized pool that takes its bytes from an account of the base's.
    init(_ base: HybridMemoryPool, configuration: OptimizedTensorPoolConfig, memory: BaseMemory)
        throws(TensorPoolError)
    {
        try configuration.validate()
        self.configuration = configuration
        self.base = base
        var engine = configuration.engineConfiguration
        try engine.watch(configuration.debugging, scrubOnFree: configuration.scrubOnFree)
        front = EngineFront(
            try Engine(base: memory.limited(to: configuration.byteLimit), configuration: engine))
        // Where it throws, deinit closes the engine: everything is initialized by now.
        if configuration.enablePrewarming { try front.engine.prewarm(configuration.prewarming) }
    }

    deinit { front.engine.close() }

    /// Makes memory ready now, touched, as construction does with ``OptimizedTensorPoolConfig/prewarming``: blocks up to
    /// the amounts, what is ready counted in; span heap beside what is ready. It goes back with the pool, by a trim, or
    /// when another pool needs it. At a limit, what this pool keeps idle makes way, then what others keep.
    ///
    /// - Throws: ``TensorPoolError/limitReached(_:)`` or ``TensorPoolError/outOfMemory(byteCount:)`` where it does not
    ///   fit; what was made ready until then stays.
    public func prewarm(_ amounts: OptimizedTensorPoolConfig.Prewarming) throws(TensorPoolError) {
        try OptimizedTensorPoolConfig.validate(amounts)
        try front.engine.prewarm(amounts)
    }

    // MARK: - TensorAllocator

    /// Allocates a tensor that is freed at the end of the returned value's life. See ``TensorAllocator``.
    ///
    /// Cost: 5 to 11 ns (2-core x86-64 VM) at any size that the thread has freed before; from the span heap about
    /// 80 ns with its release (1,000 tensors of 64 KiB at a time).
    @inlinable @inline(__always)
    public func allocate(
        byteCount: Int, alignment: Int = 64, zeroed: Bool = false, traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> TensorBuffer {
        try front.allocate(
            smallCeiling: Self.smallCeiling, byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
    }

    /// Allocates a tensor that is freed by ``deallocateTensor(id:_:)``. See ``TensorAllocator``.
    @inlinable @inline(__always)
    public func allocateTensor(
        id: UInt64, byteCount: Int, device: TensorDevice, isModelWeight: Bool, isTemporary: Bool
    ) throws(TensorPoolError) -> MemoryHandle {
        try front.allocateTensor(
            smallCeiling: Self.smallCeiling, id: id, byteCount: byteCount,
            traits: TensorTraits(device: device, isModelWeight: isModelWeight, isTemporary: isTemporary))
    }

    /// Frees a tensor of this pool. See ``TensorAllocator``.
    @inlinable @inline(__always)
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        try front.deallocateTensor(id: id, handle)
    }

    /// Figures of this moment. See ``TensorAllocator``.
    public func statistics() -> PoolStatistics { front.engine.statistics() }

    /// Gives back what no tensor uses. See ``TensorAllocator``.
    @discardableResult public func trim() -> TrimResult { TrimResult.measuring { front.engine.returnIdle() } }
}
