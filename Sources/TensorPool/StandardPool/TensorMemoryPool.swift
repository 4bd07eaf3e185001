/// The standard pool: minimal overhead, little kept.
///
/// Tensors up to 32 KiB go through a small cache of the calling thread; larger ones straight to the standard arenas of
/// the ``HybridMemoryPool``, which give freed pages back to the system by decay. Right for tensors that are small, rare
/// or one-off. Threads may share it; dropping it while tensors live is safe.
public final class TensorMemoryPool: TensorAllocator {
    /// How this pool was set up.
    public let configuration: Configuration
    /// The base pool whose memory this pool hands out.
    public let base: HybridMemoryPool
    @usableFromInline let front: EngineFront

    /// Requests up to this many bytes go through the thread's cache: 32 KiB.
    @usableFromInline static var smallCeiling: Int { 32 << 10 }

    /// Makes a standard pool on a base.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` or
    ///   ``TensorPoolError/tooManyPools(maximum:)``.
    public convenience init(
        _ base: HybridMemoryPool, configuration: Configuration = Configuration()
    ) throws(TensorPoolError) {
        try self.init(base, configuration: configuration, memory: base.memory)
    }

    /// Makes a standard pool that takes its bytes from an account of the base's.
    init(_ base: HybridMemoryPool, configuration: Configuration, memory: BaseMemory) throws(TensorPoolError) {
        try configuration.validate()
        self.configuration = configuration
        self.base = base
        var engine = EngineConfiguration.standard
        engine.smallCacheByteLimit = configuration.threadCacheByteLimit
        engine.depotByteLimit = configuration.sharedCacheByteLimit
        engine.idleReleaseNanoseconds = configuration.idleReleaseAfter?.wholeNanoseconds
        try engine.watch(configuration.debugging, scrubOnFree: configuration.scrubOnFree)
        front = EngineFront(
            try Engine(base: memory.limited(to: configuration.byteLimit), configuration: engine))
    }

    deinit { front.engine.close() }

    // MARK: - TensorAllocator

    /// Allocates a tensor that is freed at the end of the returned value's life. See ``TensorAllocator``.
    ///
    /// Cost: 5 to 11 ns (2-core x86-64 VM) up to 32 KiB when the thread has freed such a size before, else that of `mallocx`: 500 ns from
    /// 64 KiB up, and the system's page faults when the memory had decayed.
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

extension TensorMemoryPool {
    /// How a standard pool is set up.
    public struct Configuration: Sendable, Hashable {
        /// Bytes of freed tensors up to 32 KiB that one thread may keep; 0 for none.
        public var threadCacheByteLimit: Int
        /// Bytes of freed tensors up to 32 KiB that all threads together may keep beyond their own caches; 0 for none.
        public var sharedCacheByteLimit: Int
        /// The most bytes that this pool may hold, within the base's limit: live tensors, their padding, cached and
        /// prewarmed memory. Nil for no limit of its own. Never exceeded, by any thread, for any instant.
        public var byteLimit: Int?
        /// How long memory may lie idle before it goes back, at the looks of a running ``MemoryPressureMonitor`` and
        /// at calls of ``HybridMemoryPool/releaseIdle()``. Nil for ever.
        public var idleReleaseAfter: Duration?
        /// What is looked for in the way the program uses the pool's tensors, beside what `TENSOR_POOL_DEBUG` asks for.
        public var debugging = DebugOptions()
        /// Whether tensors are overwritten with zeros when they are freed, before their memory can be used again or goes
        /// back to the system. Threads keep no caches of their own then: each allocation and free takes the pool's lock.
        public var scrubOnFree = false

        /// Makes a configuration; by default 256 KiB a thread and 256 KiB shared, no limit, no release by age.
        public init(
            threadCacheByteLimit: Int = 256 << 10, sharedCacheByteLimit: Int = 256 << 10, byteLimit: Int? = nil,
            idleReleaseAfter: Duration? = nil
        ) {
            self.threadCacheByteLimit = threadCacheByteLimit
            self.sharedCacheByteLimit = sharedCacheByteLimit
            self.byteLimit = byteLimit
            self.idleReleaseAfter = idleReleaseAfter
        }

        func validate() throws(TensorPoolError) {
            try PoolLimits.validate(byteLimit: byteLimit)
            try PoolLimits.validate(idleReleaseAfter: idleReleaseAfter)
            try debugging.validate()
            for (setting, value) in [
                ("threadCacheByteLimit", threadCacheByteLimit), ("sharedCacheByteLimit", sharedCacheByteLimit),
            ] where value < 0 {
                throw .invalidConfiguration(
                    setting: setting, value: "\(value)", reason: "bytes are at least 0, and 0 keeps nothing")
            }
        }
    }
}
