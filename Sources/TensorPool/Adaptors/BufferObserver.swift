internal import CThreadSlot
internal import Jemalloc
public import Synchronization

/// What an adaptor does at the end of the buffers that it hands out: its subclasses say what.
///
/// A pool's buffer goes back to its engine by itself. An observed one goes to its observer, which frees it: it is of the
/// same type, so that an adaptor is a ``TensorAllocator`` like any other. Until then it keeps the observer alive.
///
/// Each buffer holds a reference, which threads count in batches: see ``SpareReferences``.
///
/// Safe: what changes is atomic, and a subclass has constants only.
@usableFromInline package class BufferObserver: @unchecked Sendable {
    /// The place in the registry; 0 until there is one.
    @usableFromInline final let number = Atomic<UInt32>(0)

    /// References of buffers and of threads. While there are any, this object holds itself.
    final let references = Atomic<Int>(0)

    init() {}

    deinit { ObserverRegistry.leave(number.load(ordering: .relaxed)) }

    /// Frees a buffer, which is as it was before it was observed, on the thread that ends it.
    func end(_ buffer: consuming TensorBuffer) {}

    /// The same tensor, in a buffer whose end is this observer's.
    ///
    /// Cost: a count of the thread's own, down here and up at the end; for one in 64 buffers at the most an atomic one
    /// besides, for each where buffers of several observers end on the thread in turn. Where the buffer is observed
    /// already, or is a place of a ``StaticPlan``, an object that remembers it.
    /// - Throws: ``TensorPoolError/tooManyPools(maximum:)``; the tensor is freed then, unobserved.
    @inlinable @inline(__always)
    final package func observe(_ buffer: consuming TensorBuffer) throws(TensorPoolError) -> TensorBuffer {
        let number = number.load(ordering: .acquiring)
        if buffer.kind.isCacheable, SpareReferences.take(number) { return buffer.observed(by: number) }
        return try observeAnew(buffer)
    }

    /// With a new reference, and maybe some to spare.
    @usableFromInline @inline(never)
    final func observeAnew(_ buffer: consuming TensorBuffer) throws(TensorPoolError) -> TensorBuffer {
        if buffer.kind == .planned || buffer.kind.isObserved {
            // The number beside such a block is all taken: it is remembered, and given back before this observer's end.
            let (engine, kind) = (buffer.engine, buffer.kind)
            let inner = NestedObserver(outer: self, engine: engine, kind: kind)
            let number = try inner.claimedNumber()
            inner.count(1)
            // Not freed as what it says: `inner` restores it first.
            let plain: BlockKind = kind.isWeight ? .weight : .direct
            let isScrubbed = kind.isScrubbed || kind == .planned && PlanRegistry.isScrubbed(engine)
            return buffer.described(engine: 0, kind: isScrubbed ? plain.withScrubbing : plain).observed(by: number)
        }
        let number = try claimedNumber()
        count(SpareReferences.begin(number))
        return buffer.observed(by: number)
    }

    private final func count(_ more: Int) {
        if references.add(more, ordering: .relaxed).oldValue == 0 { _ = unsafe Unmanaged.passRetained(self) }
    }

    /// Gives up references: the observer may go with the last one.
    static func release(_ number: UInt32, count: Int) {
        let observer = unsafe ObserverRegistry.observer(number)
        let isLast = unsafe observer._withUnsafeGuaranteedRef {
            $0.references.subtract(count, ordering: .acquiringAndReleasing).newValue == 0
        }
        // It held itself until here, even if others have counted anew.
        if isLast { unsafe observer.release() }
    }

    private final func claimedNumber() throws(TensorPoolError) -> UInt32 {
        let known = number.load(ordering: .acquiring)
        if known != 0 { return known }
        guard let claimed = ObserverRegistry.enter(self, unlessIn: number) else {
            throw .tooManyPools(maximum: ObserverRegistry.capacity - 1)
        }
        return claimed
    }

    /// Ends an observed buffer's block.
    @inline(__always)
    static func end(engine: UInt32, address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind) {
        let number = engine >> ObserverRegistry.engineBits
        let observer = unsafe ObserverRegistry.observer(number)
        let plain = kind.withoutObserver
        // Not retained: the buffer's reference is given up only afterwards.
        unsafe observer._withUnsafeGuaranteedRef {
            $0.end(
                unsafe TensorBuffer(
                    start: address, byteCount: byteCount, engine: engine & ObserverRegistry.engineMask, kind: plain))
        }
        // Of the same kinds that look for a spare one.
        if plain.isCacheable, SpareReferences.keep(number) { return }
        release(number, count: 1)
    }
}

/// An observer of one buffer that is observed already or a plan's.
private final class NestedObserver: BufferObserver, @unchecked Sendable {
    private let outer: BufferObserver
    private let engine: UInt32
    private let kind: BlockKind

    init(outer: BufferObserver, engine: UInt32, kind: BlockKind) {
        self.outer = outer
        self.engine = engine
        self.kind = kind
    }

    override func end(_ buffer: consuming TensorBuffer) { outer.end(buffer.described(engine: engine, kind: kind)) }
}

extension TensorBuffer {
    /// The same memory as another engine's or observer's.
    @inlinable @inline(__always)
    consuming func described(engine: UInt32, kind: BlockKind) -> TensorBuffer {
        let same = unsafe TensorBuffer(start: start, byteCount: byteCount, engine: engine, kind: kind)
        discard self
        return same
    }

    /// The same memory with an observer's number beside the engine's.
    @inlinable @inline(__always)
    consuming func observed(by number: UInt32) -> TensorBuffer {
        let engine = number << ObserverRegistry.engineBits | engine
        let kind = kind.withObserver
        return described(engine: engine, kind: kind)
    }
}
