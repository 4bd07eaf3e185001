internal import CThreadSlot

/// Serves a known, repeating sequence of allocations from one slab, and everything else from another pool.
///
/// Where a model asks for the same tensors in the same order at every step, ``StaticPlanLayout`` knows where each can
/// lie so that no byte is wasted. The plan compares each request with the next one of the sequence and hands out its
/// place. A request that departs from the sequence (another size, a tensor more, an order that changed, a place that a
/// late tensor still holds) gets its memory from `upstream`; the plan goes on with the next request that fits. No two
/// live tensors ever overlap, whatever the layout says and whatever is asked for and freed when.
///
/// The sequence starts anew after its last allocation, when it is seen to begin again, and at ``beginStep()``.
///
/// Thread-safety: one thread owns the plan: the one that made it, later the last one that called ``beginStep()``. Other
/// threads may allocate at any time and are served by `upstream`. Tensors may end on any thread. A buffer may outlive the
/// plan, and the slab goes back to its pool with the last one; a handle should not: nobody can free it then, and the
/// slab stays.
///
/// Cost: 2 status bytes looked at for a tensor, no lock, no atomic read-modify-write (handles: one, at the free).
/// A departure costs O(places passed). Measured, an allocation and its release: a buffer 7 to 11 ns (116 instructions; the
/// optimized pool 5 to 8 ns and 87), a handle 23 to 28 ns (200; the pool 8 to 13 ns and 131), on an Intel Xeon virtual
/// machine with 2 cores, 2026-11-23; `pool-worker plan` of the benchmarks repeats it.
public final class StaticPlan<Upstream: TensorAllocator>: TensorAllocator {
    // First, since properties end in this order: were the pool dropped before the slab is back, the slab would be a leak.
    @usableFromInline let core: PlanCore
    /// Where the plan sends what it does not serve, and where its slab is from.
    public let upstream: Upstream
    /// What the plan executes.
    public let layout: StaticPlanLayout
    @usableFromInline let alignment: Int

    /// Makes a plan, with a slab of `layout.byteCount` bytes got from `upstream` as one tensor.
    ///
    /// - Throws: what `upstream` throws for the slab; ``TensorPoolError/tooManyPools(maximum:)`` where the process has
    ///   4,096 plans; ``TensorPoolError/unsupportedSystem(_:)`` where the kernel has no memory barrier on all threads.
    public init(_ layout: StaticPlanLayout, upstream: Upstream) throws(TensorPoolError) {
        guard MemoryBarrier.onAllThreads() else {
            throw .unsupportedSystem("the membarrier system call (Linux 4.14 or later)")
        }
        let slab = try upstream.allocate(
            byteCount: layout.byteCount, alignment: layout.alignment, zeroed: false, traits: TensorTraits())
        let core = PlanCore(layout, slab: slab, firstNumber: try PlanRegistry.reserve())
        PlanRegistry.enter(core)
        self.core = core
        self.upstream = upstream
        self.layout = layout
        alignment = layout.alignment
    }

    deinit { PlanRegistry.close(core) }

    /// Starts the sequence anew, and makes the calling thread the plan's owner.
    ///
    /// A step that asks for the whole sequence needs no call. Tensors of the step before may still live.
    ///
    /// Cost: some nanoseconds where the sequence was complete; O(allocations left) where not; some microseconds where
    /// the owner changes.
    public func beginStep() { core.beginStep() }

    // MARK: - TensorAllocator

    /// Allocates from the plan, or from `upstream`. See ``TensorAllocator``.
    @inlinable
    public func allocate(byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits) throws(TensorPoolError)
        -> TensorBuffer
    {
        if alignment > 0 && alignment <= self.alignment && alignment & (alignment &- 1) == 0 && traits.isCacheable,
            let place = core.take(byteCount)
        {
            return unsafe TensorBuffer(
                start: core.address(of: place, zeroing: zeroed), byteCount: byteCount,
                engine: core.firstNumber &+ UInt32(truncatingIfNeeded: place), kind: .planned)
        }
        return try upstream.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
    }

    /// Allocates from the plan, or from `upstream`. See ``TensorAllocator``.
    @inlinable
    public func allocateTensor(
        id: UInt64, byteCount: Int, device: TensorDevice, isModelWeight: Bool, isTemporary: Bool
    ) throws(TensorPoolError) -> MemoryHandle {
        if device == .cpu && !isModelWeight, let place = core.take(byteCount) {
            return core.handle(for: place, id: id)
        }
        return try upstream.allocateTensor(
            id: id, byteCount: byteCount, device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
    }

    /// Frees a tensor of the plan or of `upstream`. See ``TensorAllocator``.
    @inlinable
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        if handle.serial == core.serial {
            try core.free(id: id, handle)
        } else {
            try upstream.deallocateTensor(id: id, handle)
        }
    }

    /// Figures of `upstream` and the plan together: tensors in the slab count as tensors, what is free of it as cached,
    /// and the slab itself as none. By strategy, they are `upstream`'s alone.
    ///
    /// - Complexity: O(allocations of the layout), beside `upstream`'s.
    public func statistics() -> PoolStatistics {
        var statistics = upstream.statistics()
        core.add(to: &statistics)
        return statistics
    }

    /// Gives back what `upstream` does not use. The slab stays.
    @discardableResult public func trim() -> TrimResult { upstream.trim() }

    /// What the plan did up to now.
    public var counts: StaticPlanCounts { StaticPlanCounts(core) }
}

extension StaticPlan: ForwardingAllocator {
    package func resizedInPlace(id: UInt64, _ handle: MemoryHandle, to byteCount: Int) throws(TensorPoolError)
        -> MemoryHandle?
    {
        guard handle.serial == core.serial else {
            return try upstream.resizedInPlace(id: id, handle, to: byteCount)
        }
        try core.check(id: id, handle)
        return nil
    }
}
