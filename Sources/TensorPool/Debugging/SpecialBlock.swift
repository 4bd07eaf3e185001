internal import CDebugging

/// Blocks that are not simply their engine's: observed, planned, watched, or to be overwritten.
@usableFromInline enum SpecialBlock {
    /// Takes a buffer's block back.
    @usableFromInline @inline(never)
    static func free(engine number: UInt32, address: UnsafeMutableRawPointer, byteCount: Int, kind: BlockKind) {
        if kind.isObserved {
            unsafe BufferObserver.end(engine: number, address: address, byteCount: byteCount, kind: kind)
        } else if kind == .planned {
            PlanRegistry.free(number)
        } else if kind.isScrubbed {
            if kind.isWeight {
                unsafe EngineRegistry.engine(number).takeUnretainedValue().scrubWeight(address, byteCount)
            } else {
                unsafe tensorpool_scrub(address, byteCount)
            }
            unsafe WarmPath(engine: number).free(address, byteCount: byteCount, kind: kind.withoutScrubbing)
        } else {
            // Retained: once the block is back, another thread's last free may end the engine.
            unsafe EngineRegistry.engine(number).takeUnretainedValue().freeGuarded(address)
        }
    }
}
