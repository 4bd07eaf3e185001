/// A pool with a budget: what is allocated through it may not have more than so many live bytes at any instant.
///
///     try pool.withBudget(64 << 20) { scoped in
///         let activations = try scoped.allocate(byteCount: 1 << 20)
///         ...
///     }
///
/// Requested bytes of live tensors count, exactly, for any number of threads; only what is allocated through the budget
/// counts and pays for the counting, two atomic operations a tensor and budget. Budgets nest: a tensor counts in its own
/// and in all around it. A tensor that outlives the scope counts until it is freed. The pool's and the base's limits
/// hold besides. Threads may share it; copies share the budget.
public struct BudgetedAllocator<Upstream: TensorAllocator>: TensorAllocator {
    /// The pool that the memory comes from.
    public let upstream: Upstream
    private let budget: Budget

    /// Makes a budget that lasts as long as this value, its copies, and its tensors. See
    /// ``TensorAllocator/withBudget(_:onLimitReached:_:)`` for one that ends with a closure.
    ///
    /// - Parameters:
    ///   - upstream: The pool that the memory comes from.
    ///   - byteLimit: The most live bytes; 0 or less lets nothing be allocated.
    ///   - onLimitReached: Asked when the budget is used up, by the allocating thread, under no lock, up to eight times
    ///     for one request. It may free tensors.
    public init(
        _ upstream: Upstream, byteLimit: Int, onLimitReached: (@Sendable (LimitReport) -> LimitResponse)? = nil
    ) {
        self.init(upstream, Budget(byteLimit: byteLimit, parent: nil, onLimitReached: onLimitReached))
    }

    private init(_ upstream: Upstream, _ budget: Budget) {
        self.upstream = upstream
        self.budget = budget
    }

    /// The most live bytes.
    public var byteLimit: Int { budget.account.limit }

    /// Bytes of live tensors allocated through this budget and those nested in it. Cost: a load.
    public var liveByteCount: Int { budget.account.taken }

    /// Allocates a tensor that is freed at the end of the returned value's life.
    ///
    /// Cost: that of the pool and some 60 ns, allocation and free together, and two atomic operations more for each budget
    /// around this one; some 110 ns where buffers of two budgets end on the thread in turn. (Medians of 200 rounds of 8,192
    /// pairs with and without a budget, 1 to 1,024 at one time: 50 to 64 ns; 8,192 at one time: 75 to 79; Intel Xeon
    /// virtual machine with 2 cores, 2026-11-23.) Parameters as in ``TensorAllocator/allocate(byteCount:alignment:zeroed:traits:)``.
    /// - Throws: ``TensorPoolError/limitReached(_:)`` with ``LimitScope/budget`` where the budget or one around it has
    ///   too few bytes left, and what the pool throws; nothing has changed then.
    public func allocate(
        byteCount: Int, alignment: Int = 64, zeroed: Bool = false, traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> TensorBuffer {
        try budget.take(byteCount)
        do throws(TensorPoolError) {
            return try budget.observer.observe(
                upstream.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits))
        } catch {
            budget.account.give(max(0, byteCount))
            throw error
        }
    }

    /// Allocates a tensor that is freed by ``deallocateTensor(id:_:)`` of this budget or of one nested with it. Freed
    /// in the pool itself it goes on counting.
    ///
    /// - Throws: As ``allocate(byteCount:alignment:zeroed:traits:)``.
    public func allocateTensor(
        id: UInt64, byteCount: Int, device: TensorDevice = .cpu, isModelWeight: Bool = false, isTemporary: Bool = false
    ) throws(TensorPoolError) -> MemoryHandle {
        try budget.take(byteCount)
        do throws(TensorPoolError) {
            let handle = try upstream.allocateTensor(
                id: id, byteCount: byteCount, device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
            budget.handles.add(handle, paidBy: budget.account)
            return handle
        } catch {
            budget.account.give(max(0, byteCount))
            throw error
        }
    }

    /// Frees a tensor of this budget, of one nested with it, or one of the pool that no budget counts.
    ///
    /// - Throws: What the pool throws. A tensor that was freed in the pool itself stops counting then.
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        let payer = payer(id: id, handle)
        do throws(TensorPoolError) {
            try upstream.deallocateTensor(id: id, handle)
        } catch {
            if let payer { settle(handle, payer, after: error) }
            throw error
        }
        payer?.give(handle.byteCount)
    }

    /// Who pays for a tensor, taken out of the list. A wrong id is the pool's to refuse, and takes nothing out: whoever has
    /// the right one may free the tensor meanwhile.
    private func payer(id: UInt64, _ handle: MemoryHandle) -> ByteAccount? {
        handle.tensorID == id ? budget.handles.remove(handle) : nil
    }

    /// The pool refused a handle that counts: what it says is gone counts no more.
    private func settle(_ handle: MemoryHandle, _ payer: ByteAccount, after error: TensorPoolError) {
        switch error {
        case .freedTwice, .staleHandle: payer.give(handle.byteCount)
        default: budget.handles.add(handle, paidBy: payer)
        }
    }

    /// Figures of the pool, of which the budget's tensors are a part.
    public func statistics() -> PoolStatistics { upstream.statistics() }

    /// Gives back what the pool does not use.
    @discardableResult public func trim() -> TrimResult { upstream.trim() }

    private func nested(
        _ byteCount: Int, _ onLimitReached: (@Sendable (LimitReport) -> LimitResponse)?
    ) -> BudgetedAllocator {
        BudgetedAllocator(
            upstream, Budget(byteLimit: byteCount, parent: budget, onLimitReached: onLimitReached))
    }

    /// Calls `body` with a budget inside this one. See ``TensorAllocator/withBudget(_:onLimitReached:_:)``.
    public func withBudget<Result: ~Copyable, Failure: Error>(
        _ byteCount: Int, onLimitReached: (@Sendable (LimitReport) -> LimitResponse)? = nil,
        _ body: (BudgetedAllocator) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(nested(byteCount, onLimitReached))
    }

    /// Calls an asynchronous `body` with a budget inside this one.
    public func withBudget<Result: ~Copyable, Failure: Error>(
        _ byteCount: Int, onLimitReached: (@Sendable (LimitReport) -> LimitResponse)? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (BudgetedAllocator) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await body(nested(byteCount, onLimitReached))
    }
}

extension BudgetedAllocator: ForwardingAllocator {
    package func resizedInPlace(id: UInt64, _ handle: MemoryHandle, to byteCount: Int) throws(TensorPoolError)
        -> MemoryHandle?
    {
        // The pool's own tensors count in no budget.
        guard let payer = payer(id: id, handle) else {
            return try upstream.resizedInPlace(id: id, handle, to: byteCount)
        }
        let growth = max(0, byteCount - handle.byteCount)
        do throws(TensorPoolError) {
            try budget.take(growth, from: payer)
        } catch {
            budget.handles.add(handle, paidBy: payer)
            throw error
        }
        do throws(TensorPoolError) {
            guard let resized = try upstream.resizedInPlace(id: id, handle, to: byteCount) else {
                payer.give(growth)
                budget.handles.add(handle, paidBy: payer)
                return nil
            }
            payer.give(max(0, handle.byteCount - byteCount))
            budget.handles.add(resized, paidBy: payer)
            return resized
        } catch {
            payer.give(growth)
            settle(handle, payer, after: error)
            throw error
        }
    }
}

extension TensorAllocator {
    /// Calls `body` with this pool under a budget of `byteCount` live bytes, which ends with `body`.
    ///
    /// Only what is allocated through the value given to `body` counts; a tensor that outlives `body` counts in
    /// enclosing budgets until it is freed.
    ///
    /// - Parameters:
    ///   - byteCount: The most live bytes; 0 or less lets nothing be allocated.
    ///   - onLimitReached: Asked when the budget is used up, by the allocating thread, under no lock, up to eight times
    ///     for one request. It may free tensors.
    ///   - body: The work.
    /// - Throws: What `body` throws.
    public func withBudget<Result: ~Copyable, Failure: Error>(
        _ byteCount: Int, onLimitReached: (@Sendable (LimitReport) -> LimitResponse)? = nil,
        _ body: (BudgetedAllocator<Self>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(BudgetedAllocator(self, byteLimit: byteCount, onLimitReached: onLimitReached))
    }

    /// Calls an asynchronous `body` with this pool under a budget of `byteCount` live bytes, which ends with `body`.
    public func withBudget<Result: ~Copyable, Failure: Error>(
        _ byteCount: Int, onLimitReached: (@Sendable (LimitReport) -> LimitResponse)? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (BudgetedAllocator<Self>) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await body(BudgetedAllocator(self, byteLimit: byteCount, onLimitReached: onLimitReached))
    }
}
