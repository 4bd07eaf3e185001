/// Names a recording for the whole life of the process: numbers are never used again.
///
/// What records an event has only this number. So a buffer may outlive its recording, and no reference is counted.
@usableFromInline struct RecordingID: Sendable, Hashable {
    let number: UInt64

    /// Records an allocation that has been made.
    @usableFromInline func recordAllocation(address: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64) {
        unsafe record(address, byteCount, kind: 0, tensorID, RecordingClock.now())
    }

    /// Records a free that is about to be made, or was begun at `time`.
    @usableFromInline func recordFree(
        address: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64, time: Int64
    ) {
        unsafe record(address, byteCount, kind: 1, tensorID, time)
    }

    @inline(__always)
    private func record(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, kind: UInt64, _ tensorID: UInt64, _ time: Int64
    ) {
        RecordingThread.withRing(of: self) { ring in
            ring.append(
                RingEvent(
                    time: time, address: UInt64(UInt(bitPattern: address)),
                    sizeAndKind: UInt64(truncatingIfNeeded: byteCount) << 1 | kind, tensorID: tensorID))
        }
    }
}
