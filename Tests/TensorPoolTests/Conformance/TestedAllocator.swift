import TensorTrace

@testable import TensorPool

/// An allocator as the suite sees it, whatever its buffers are.
struct TestedAllocator: Sendable {
    let own: @Sendable (Int, Int, Bool, TensorTraits) throws(TensorPoolError) -> Held
    let allocateTensor: @Sendable (UInt64, Int, TensorTraits) throws(TensorPoolError) -> MemoryHandle
    let deallocateTensor: @Sendable (UInt64, MemoryHandle) throws(TensorPoolError) -> Void
    let statistics: @Sendable () -> PoolStatistics
    let trim: @Sendable () -> TrimResult
    /// The same as what tensors are resized by; nil where it can do no such thing.
    let resizing: (any TensorAllocator)?

    init(_ pool: some TensorAllocator) {
        own = { byteCount, alignment, zeroed, traits throws(TensorPoolError) in
            try pool.own(byteCount, alignment: alignment, zeroed: zeroed, traits)
        }
        allocateTensor = { id, byteCount, traits throws(TensorPoolError) in
            try pool.allocateTensor(
                id: id, byteCount: byteCount, device: traits.device, isModelWeight: traits.role == .weight,
                isTemporary: traits.role == .temporary)
        }
        deallocateTensor = { id, handle throws(TensorPoolError) in try pool.deallocateTensor(id: id, handle) }
        statistics = { pool.statistics() }
        trim = { pool.trim() }
        resizing = pool
    }

    init(_ budget: BudgetedAllocator<some TensorAllocator>) {
        own = { byteCount, alignment, zeroed, traits throws(TensorPoolError) in
            OwnedOfBudget(
                try budget.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits))
        }
        allocateTensor = { id, byteCount, traits throws(TensorPoolError) in
            try budget.allocateTensor(
                id: id, byteCount: byteCount, device: traits.device, isModelWeight: traits.role == .weight,
                isTemporary: traits.role == .temporary)
        }
        deallocateTensor = { id, handle throws(TensorPoolError) in try budget.deallocateTensor(id: id, handle) }
        statistics = { budget.upstream.statistics() }
        trim = { budget.upstream.trim() }
        resizing = nil
    }

    init(_ recorder: TraceRecorder<some TensorAllocator>) {
        own = { byteCount, alignment, zeroed, traits throws(TensorPoolError) in
            OwnedOfRecorder(
                try recorder.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits))
        }
        allocateTensor = { id, byteCount, traits throws(TensorPoolError) in
            try recorder.allocateTensor(
                id: id, byteCount: byteCount, device: traits.device, isModelWeight: traits.role == .weight,
                isTemporary: traits.role == .temporary)
        }
        deallocateTensor = { id, handle throws(TensorPoolError) in try recorder.deallocateTensor(id: id, handle) }
        statistics = { recorder.statistics() }
        trim = { recorder.trim() }
        resizing = nil
    }

    /// Allocates with nothing asked for but the size.
    func own(_ byteCount: Int, _ traits: TensorTraits = TensorTraits()) throws(TensorPoolError) -> Held {
        try own(byteCount, 64, false, traits)
    }

    /// Why a buffer is not to be had.
    func refusedBuffer(_ byteCount: Int, alignment: Int = 64, _ traits: TensorTraits = TensorTraits())
        -> TensorPoolError?
    {
        refusal { () throws(TensorPoolError) in _ = try own(byteCount, alignment, false, traits) }
    }

    /// Why a tensor is not to be had.
    func refusedTensor(_ byteCount: Int, device: TensorDevice = .cpu) -> TensorPoolError? {
        refusal { () throws(TensorPoolError) in _ = try allocateTensor(1, byteCount, TensorTraits(device: device)) }
    }

    /// Why a handle cannot be freed.
    func refusedFree(_ id: UInt64, _ handle: MemoryHandle) -> TensorPoolError? {
        refusal { () throws(TensorPoolError) in try deallocateTensor(id, handle) }
    }
}
