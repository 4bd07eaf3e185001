internal import Jemalloc
internal import Synchronization

/// What an adaptor does at the end of the buffers that it hands out.
///
/// A pool's buffer goes back to its engine by itself. An observed one goes to its observer, which frees it: it is of the
/// same type, so that an adaptor is a ``TensorAllocator`` like any other. Until then it keeps the observer alive.
@usableFromInline package final class BufferObserver: Sendable {
    private let end: @Sendable (consuming TensorBuffer) -> Void
    /// The place in the registry; 0 until there is one.
    private let number = Atomic<UInt32>(0)

    /// Makes an observer. `end` gets each buffer as it was before it was observed, on the thread that ends it.
    package init(_ end: @escaping @Sendable (consuming TensorBuffer) -> Void) { self.end = end }

    deinit { ObserverRegistry.leave(number.load(ordering: .relaxed)) }

    /// The same tensor, in a buffer whose end is this observer's.
    ///
    /// Cost: a reference counted up, and down at the end. Where the buffer is observed already, or is a place of a
    /// ``StaticPlan``, an object that remembers it besides.
    /// - Throws: ``TensorPoolError/tooManyPools(maximum:)``; the tensor is freed then, unobserved.
    @usableFromInline package func observe(_ buffer: consuming TensorBuffer) throws(TensorPoolError) -> TensorBuffer {
        if buffer.kind == .planned || buffer.kind.isObserved { return try observeNested(buffer) }
        return wrap(buffer, number: try claimedNumber())
    }

    /// The number beside such a block is all taken: it is remembered here, and given back before this observer's own end.
    private func observeNested(_ buffer: consuming TensorBuffer) throws(TensorPoolError) -> TensorBuffer {
        let (engine, kind) = (buffer.engine, buffer.kind)
        let inner = BufferObserver { [self] standIn in end(standIn.described(engine: engine, kind: kind)) }
        let number = try inner.claimedNumber()
        // Not freed as what it says: `inner` restores it first.
        let standIn = buffer.described(engine: 0, kind: kind.isWeight ? .weight : .direct)
        return inner.wrap(standIn, number: number)
    }

    private func wrap(_ buffer: consuming TensorBuffer, number: UInt32) -> TensorBuffer {
        _ = unsafe Unmanaged.passRetained(self)
        let engine = number << ObserverRegistry.engineBits | buffer.engine
        let kind = buffer.kind.withObserver
        return buffer.described(engine: engine, kind: kind)
    }

    private func claimedNumber() throws(TensorPoolError) -> UInt32 {
        let known = number.load(ordering: .acquiring)
        if known != 0 { return known }
        guard let claimed = ObserverRegistry.enter(self, unlessIn: number) else {
            throw .tooManyPools(maximum: ObserverRegistry.capacity - 1)
        }
        return claimed
    }

    /// Ends an observed buffer's block.
    static func end(engine: UInt32, address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind) {
        // The buffer's reference: the observer may go with it.
        let observer = unsafe ObserverRegistry.observer(engine >> ObserverRegistry.engineBits).takeRetainedValue()
        observer.end(
            unsafe TensorBuffer(
                start: address, byteCount: byteCount, engine: engine & ObserverRegistry.engineMask,
                kind: kind.withoutObserver))
    }
}

extension TensorBuffer {
    /// The same memory as another engine's or observer's.
    consuming func described(engine: UInt32, kind: BlockKind) -> TensorBuffer {
        let same = unsafe TensorBuffer(start: start, byteCount: byteCount, engine: engine, kind: kind)
        discard self
        return same
    }
}
