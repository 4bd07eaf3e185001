/// A tensor's memory, owned: returned to its pool at the end of the value's life.
///
/// The buffer cannot be copied, so a second free or a use after the free does not compile. It may be sent to another
/// thread and end there. A buffer may outlive its pool.
@frozen @safe public struct TensorBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline let start: UnsafeMutableRawPointer
    /// Bytes that were asked for, all of them writable.
    public let byteCount: Int
    /// Of a block of a ``StaticPlan``, the number of its place.
    @usableFromInline let engine: UInt32
    @usableFromInline let kind: BlockKind

    @inlinable @inline(__always)
    init(start: UnsafeMutableRawPointer, byteCount: Int, engine: UInt32, kind: BlockKind) {
        unsafe self.start = start
        self.byteCount = byteCount
        self.engine = engine
        self.kind = kind
    }

    @inlinable @inline(__always) deinit {
        if kind.hasOwnBin {
            if unsafe HotPath.push(engine: engine, kind: kind, byteCount: byteCount, address: start) { return }
        } else if kind.isCacheable {
            if unsafe HotPath.pushShared(engine: engine, kind: kind, byteCount: byteCount, address: start) { return }
        } else if kind.isSpecial {
            unsafe SpecialBlock.free(engine: engine, address: start, byteCount: byteCount, kind: kind)
            return
        }
        unsafe WarmPath(engine: engine).free(start, byteCount: byteCount, kind: kind)
    }
}
