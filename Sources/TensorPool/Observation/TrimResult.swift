/// What a trim gave back.
public struct TrimResult: Sendable, Hashable {
    /// Bytes that the pools held and hold no more.
    public let releasedBytes: Int
    /// Bytes of the process that were resident before and after, as the system counts them; nil where it does not tell.
    /// Other threads' work is in the difference.
    public let residentBytesBefore: Int?
    /// Resident bytes after the trim.
    public let residentBytesAfter: Int?

    /// By how many bytes resident memory fell, at least 0; nil where the system does not tell.
    public var residentBytesReturned: Int? {
        guard let residentBytesBefore, let residentBytesAfter else { return nil }
        return max(0, residentBytesBefore - residentBytesAfter)
    }

    static func measuring(_ work: () -> Int) -> TrimResult {
        let before = SystemMemory.residentByteCount()
        let released = work()
        return TrimResult(
            releasedBytes: released, residentBytesBefore: before, residentBytesAfter: SystemMemory.residentByteCount())
    }
}
