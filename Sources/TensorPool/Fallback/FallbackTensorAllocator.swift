internal import Synchronization

/// Two allocators, the second for what the first has no memory for.
///
///     let warm = try OptimizedTensorMemoryPool(base, configuration: capped)
///     let pool = FallbackTensorAllocator(warm, then: try TensorMemoryPool(base))
///
/// A pool's limit is hard: what goes beyond it is an error. With another pool behind it the limit says only how much is
/// kept in the first. Nests: `then:` may be another fallback.
///
/// The second is asked where the first throws ``TensorPoolError/limitReached(_:)`` or
/// ``TensorPoolError/outOfMemory(byteCount:)``, after the first has given up what it kept idle and has asked its base's
/// limit handler. Each tensor goes back to the allocator that it came from.
///
/// Threads may share it. Cost: that of the first; where the second is asked, that of a refusal by the first on top.
public final class FallbackTensorAllocator<Primary: TensorAllocator, Secondary: TensorAllocator>: TensorAllocator {
    /// Asked first.
    public let primary: Primary
    /// Asked where the first has no memory.
    public let secondary: Secondary
    private let served = Atomic<Int>(0)

    /// Puts `secondary` behind `primary`.
    public init(_ primary: Primary, then secondary: Secondary) {
        self.primary = primary
        self.secondary = secondary
    }

    /// Tensors that the second allocator served up to now. Cost: a load.
    public var fallbackCount: Int { served.load(ordering: .relaxed) }

    // MARK: - TensorAllocator

    /// Allocates from the first allocator, or the second. See ``TensorAllocator``.
    ///
    /// - Throws: ``TensorPoolError``: the second's where it was asked; nothing has changed then.
    public func allocate(
        byteCount: Int, alignment: Int = 64, zeroed: Bool = false, traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> TensorBuffer {
        do throws(TensorPoolError) {
            return try primary.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
        } catch {
            guard error.isShortage else { throw error }
        }
        let tensor = try secondary.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
        served.add(1, ordering: .relaxed)
        return tensor
    }

    /// Allocates from the first allocator, or the second. See ``TensorAllocator``.
    ///
    /// - Throws: As ``allocate(byteCount:alignment:zeroed:traits:)``.
    public func allocateTensor(
        id: UInt64, byteCount: Int, device: TensorDevice, isModelWeight: Bool, isTemporary: Bool
    ) throws(TensorPoolError) -> MemoryHandle {
        do throws(TensorPoolError) {
            return try primary.allocateTensor(
                id: id, byteCount: byteCount, device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
        } catch {
            guard error.isShortage else { throw error }
        }
        let tensor = try secondary.allocateTensor(
            id: id, byteCount: byteCount, device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
        served.add(1, ordering: .relaxed)
        return tensor
    }

    /// Frees a tensor in the allocator that it came from. See ``TensorAllocator``.
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        do throws(TensorPoolError) {
            try primary.deallocateTensor(id: id, handle)
        } catch {
            guard case .foreignHandle = error else { throw error }
            try secondary.deallocateTensor(id: id, handle)
        }
    }

    /// Figures of both together; where one is the base of the other, the base's, which hold the other's.
    public func statistics() -> PoolStatistics {
        if Self.isWithin(primary, secondary) { return secondary.statistics() }
        var statistics = primary.statistics()
        if !Self.isWithin(secondary, primary) { statistics.add(secondary.statistics()) }
        return statistics
    }

    /// Gives back what neither uses.
    @discardableResult public func trim() -> TrimResult {
        TrimResult.measuring { primary.trim().releasedBytes + secondary.trim().releasedBytes }
    }

    /// Whether what works for `part` works for `whole` as well.
    private static func isWithin(_ part: some TensorAllocator, _ whole: some TensorAllocator) -> Bool {
        guard let part = part as? any ObservablePool, let whole = whole as? any ObservablePool else { return false }
        let engines = whole.engines.all
        return part.engines.all.allSatisfy { engine in engines.contains { $0 === engine } }
    }
}

extension FallbackTensorAllocator: ForwardingAllocator {
    package func resizedInPlace(id: UInt64, _ handle: MemoryHandle, to byteCount: Int) throws(TensorPoolError)
        -> MemoryHandle?
    {
        do throws(TensorPoolError) {
            return try primary.resizedInPlace(id: id, handle, to: byteCount)
        } catch {
            guard case .foreignHandle = error else { throw error }
            return try secondary.resizedInPlace(id: id, handle, to: byteCount)
        }
    }
}

extension TensorPoolError {
    /// Whether another allocator may have what this one had not.
    fileprivate var isShortage: Bool {
        switch self {
        case .limitReached, .outOfMemory: true
        default: false
        }
    }
}
