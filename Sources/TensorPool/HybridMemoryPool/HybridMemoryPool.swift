internal import CThreadSlot
internal import Jemalloc
internal import Synchronization

/// The memory that pools share: jemalloc arenas by strategy and size category, one byte limit, one account.
///
/// Make one for a process or a service, and any number of pools on it. What one pool keeps without using it is taken
/// back when another needs it. The base is an allocator itself: it serves each request straight from its standard
/// arenas, with no cache in front, and it frees the handles of every pool on it, those of dropped pools included.
///
/// Threads may share it. Construction makes no arena and touches no tensor memory; each arena is made at its first use.
public final class HybridMemoryPool: TensorAllocator {
    /// How this base pool was set up.
    public var configuration: Configuration { memory.configuration }

    let memory: BaseMemory
    private let front: EngineFront

    /// Makes a base pool.
    ///
    /// Cost: under a millisecond and under a mebibyte (`tensor-pool gap` prints both).
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)``,
    ///   ``TensorPoolError/tooManyPools(maximum:)``, or ``TensorPoolError/unsupportedSystem(_:)`` where the kernel has no
    ///   memory barrier on all threads.
    public init(configuration: Configuration = Configuration()) throws(TensorPoolError) {
        try configuration.validate()
        guard MemoryBarrier.onAllThreads() else {
            throw .unsupportedSystem("the membarrier system call (Linux 4.14 or later)")
        }
        ForkSafety.arrange()
        memory = BaseMemory(configuration: configuration)
        var direct = EngineConfiguration.standard
        direct.smallCeiling = 0
        direct.depotByteLimit = 0
        try direct.watch(configuration.debugging, scrubOnFree: configuration.scrubOnFree)
        front = EngineFront(try Engine(base: memory, configuration: direct))
    }

    deinit { front.engine.close() }

    // MARK: - TensorAllocator

    /// Allocates straight from the standard arena of the tensor's category. See ``TensorAllocator``.
    ///
    /// Cost: that of `mallocx` on an arena, 100 ns for small tensors to 10 us for 16 MiB.
    public func allocate(
        byteCount: Int, alignment: Int = 64, zeroed: Bool = false, traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> TensorBuffer {
        let block = unsafe try front.engine.requestBlock(
            byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
        return unsafe TensorBuffer(
            start: block.address, byteCount: byteCount, engine: front.number, kind: block.kind)
    }

    /// Allocates straight from the standard arena of the tensor's category. See ``TensorAllocator``.
    public func allocateTensor(
        id: UInt64, byteCount: Int, device: TensorDevice, isModelWeight: Bool, isTemporary: Bool
    ) throws(TensorPoolError) -> MemoryHandle {
        let traits = TensorTraits(device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
        return try front.engine.requestHandle(id: id, byteCount: byteCount, traits: traits)
    }

    /// Frees a tensor of any pool on this base, dropped ones included. See ``TensorAllocator``.
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        guard let engine = memory.engine(serial: handle.serial) else { throw .foreignHandle(tensorID: handle.tensorID) }
        try engine.returnHandle(id: id, handle)
    }

    /// Figures of everything on this base: its own tensors and those of all its pools.
    ///
    /// - Complexity: O(pools x threads); a few microseconds each, and other threads wait that long off their hot path.
    public func statistics() -> PoolStatistics {
        memory.engines().reduce(into: PoolStatistics()) { $0.add($1.statistics()) }
    }

    /// Gives back to the system what no tensor of any pool on this base uses.
    @discardableResult public func trim() -> TrimResult {
        let engines = memory.engines()
        return TrimResult.measuring { engines.reduce(0) { $0 + $1.returnIdle() } }
    }

    /// Sets what is asked when a limit of the base or of a pool on it is reached and nothing idle is left to give up;
    /// nil for nothing. It may free tensors, of this thread or by telling others, and may allocate; a limit that its own
    /// allocations reach fails at once.
    ///
    /// Called by the allocating thread, under no lock, up to eight times in a row and up to four times that for one
    /// request where other threads take what was freed. Prewarming does not ask it. Threads may set it at any time.
    public func setLimitHandler(_ handler: (@Sendable (LimitReport) -> LimitResponse)?) {
        memory.shared.limitHandler.set(handler)
    }

    /// Bytes of pages that the arenas keep of what was freed to them, until they decay or a trim. Resident, and in no
    /// pool's figures. As jemalloc counts them; 0 where it does not.
    ///
    /// Cost: some microseconds an arena.
    public func retainedByteCount() -> Int { memory.retainedByteCount() }

    /// Bytes that all pools on this base hold: live tensors, their padding, and what is cached or prewarmed. Never more
    /// than the limit. Cost: a load.
    public var reservedByteCount: Int { memory.reserved }
}
