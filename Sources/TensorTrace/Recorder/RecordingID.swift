internal import CThreadSlot

/// Names a recording for the whole life of the process: numbers are never used again.
///
/// What records an event has only this number. So a buffer may outlive its recording, and no reference is counted.
@usableFromInline struct RecordingID: Sendable, Hashable {
    /// From 1 up.
    let number: UInt64

    /// Records an allocation that has been made.
    @usableFromInline func recordAllocation(address: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64) {
        guard let ring = unsafe RecordingThread.ring(of: self) else { return }
        unsafe Self.append(to: ring, address, byteCount, kind: 0, tensorID, ticks: tensorpool_ticks_after())
    }

    /// Records a free that is about to be made.
    @inline(__always)
    func recordFree(address: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64) {
        guard let ring = unsafe RecordingThread.ring(of: self) else { return }
        unsafe Self.append(to: ring, address, byteCount, kind: 1, tensorID, ticks: tensorpool_ticks_before())
    }

    /// Records a free that was begun at `ticks` and has been made.
    @usableFromInline func recordFree(
        address: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64, ticks: UInt64
    ) {
        guard let ring = unsafe RecordingThread.ring(of: self) else { return }
        unsafe Self.append(to: ring, address, byteCount, kind: 1, tensorID, ticks: ticks)
    }

    /// The moment at which a free begins.
    @usableFromInline static func ticksBeforeFree() -> UInt64 { tensorpool_ticks_before() }

    @inline(__always)
    private static func append(
        to ring: UnsafeMutablePointer<RingState>, _ address: UnsafeMutableRawPointer, _ byteCount: Int, kind: UInt64,
        _ tensorID: UInt64, ticks: UInt64
    ) {
        unsafe ring.pointee.append(
            RingEvent(
                ticks: ticks, address: UInt64(UInt(bitPattern: address)),
                sizeAndKind: UInt64(truncatingIfNeeded: byteCount) << 1 | kind, tensorID: tensorID))
    }
}
