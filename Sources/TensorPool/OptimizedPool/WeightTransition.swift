/// A tensor that became a model weight.
public struct WeightTransition: Sendable, Hashable {
    /// The weight. The tensor's former handle is stale.
    public let handle: MemoryHandle
    /// Why the bytes had to be copied; nil where the tensor kept its memory.
    public let copyReason: String?

    /// Whether the bytes were copied.
    public var isCopied: Bool { copyReason != nil }
}

extension OptimizedTensorMemoryPool {
    /// Makes a tensor a model weight: out of the caches' and the cleanup's reach. Its bytes stay as they are.
    ///
    /// A tensor over 14 KiB keeps its memory; a smaller one, or any where
    /// ``OptimizedTensorPoolConfig/enableZeroCopyTransitions`` is off, is copied into the weights' arena.
    ///
    /// - Throws: ``TensorPoolError`` where the handle is not that of live tensor `id` of this pool, or a copy does not
    ///   fit; the tensor is then as it was.
    public func makeWeight(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) -> WeightTransition {
        try front.engine.makeWeight(id: id, handle, of: front.engine)
    }
}

extension AdaptiveTensorMemoryPool {
    /// Makes a tensor a model weight: out of the caches' and the cleanup's reach. Its bytes stay as they are.
    ///
    /// A tensor over 14 KiB of the optimized strategy keeps its memory; any other is copied into the weights' arena.
    ///
    /// - Throws: ``TensorPoolError`` where the handle is not that of live tensor `id` of this pool, or a copy does not
    ///   fit; the tensor is then as it was.
    public func makeWeight(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) -> WeightTransition {
        let source = handle.serial == standardFront.serial ? standardFront.engine : optimizedFront.engine
        return try optimizedFront.engine.makeWeight(id: id, handle, of: source)
    }
}
