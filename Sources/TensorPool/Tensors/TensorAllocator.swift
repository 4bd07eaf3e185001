/// What every pool can do.
///
/// Use it as a generic constraint (`some TensorAllocator`), so that the compiler specialises the hot path for the pool;
/// as an existential (`any`) each call goes through a table.
public protocol TensorAllocator: Sendable {
    /// Allocates a tensor that is freed at the end of the returned value's life.
    ///
    /// - Parameters:
    ///   - byteCount: Bytes, at least 1.
    ///   - alignment: In bytes, a power of two up to 2 MiB. Every tensor has at least 64.
    ///   - zeroed: Whether the bytes must read as zero. Otherwise they are unspecified.
    ///   - traits: Where the memory must live, and what for.
    /// - Throws: ``TensorPoolError``; nothing has changed then.
    func allocate(byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits) throws(TensorPoolError)
        -> TensorBuffer

    /// Allocates a tensor that is freed by ``deallocateTensor(id:_:)``. Aligned to 64 bytes, contents unspecified.
    ///
    /// The bookkeeping of a pool's handle takes about 16 bytes, and about 32 in a pool that is given ids of more than 32 bits.
    ///
    /// - Throws: ``TensorPoolError``; nothing has changed then.
    func allocateTensor(id: UInt64, byteCount: Int, device: TensorDevice, isModelWeight: Bool, isTemporary: Bool)
        throws(TensorPoolError) -> MemoryHandle

    /// Frees a tensor.
    ///
    /// - Throws: ``TensorPoolError`` where the handle is stale, freed already, another pool's, or not of tensor `id`.
    ///   Of two threads that free one handle at the same instant, one may see no error; the tensor is freed once.
    func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError)

    /// Figures of this moment, exact: every thread's cache is settled.
    func statistics() -> PoolStatistics

    /// Gives back to the system what no tensor uses, caches included.
    @discardableResult func trim() -> TrimResult
}

extension TensorAllocator {
    /// Allocates a tensor, 64-byte aligned, of unspecified contents.
    ///
    /// - Throws: ``TensorPoolError``; nothing has changed then.
    @inlinable @inline(__always)
    public func allocate(byteCount: Int) throws(TensorPoolError) -> TensorBuffer {
        try allocate(byteCount: byteCount, alignment: 64, zeroed: false, traits: TensorTraits())
    }

    /// Allocates a tensor, 64-byte aligned, of which nothing is known but its size.
    ///
    /// - Throws: ``TensorPoolError``; nothing has changed then.
    @inlinable @inline(__always)
    public func allocateTensor(id: UInt64, byteCount: Int) throws(TensorPoolError) -> MemoryHandle {
        try allocateTensor(id: id, byteCount: byteCount, device: .cpu, isModelWeight: false, isTemporary: false)
    }
}
