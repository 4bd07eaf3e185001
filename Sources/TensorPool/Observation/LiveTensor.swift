/// A tensor that was allocated with a handle and not freed.
public struct LiveTensor: Sendable, Hashable {
    /// The id it was allocated with.
    public let id: UInt64
    /// Requested bytes.
    public let byteCount: Int
    /// Nanoseconds since its use was last recorded, or since the pool first looked where none was: never more than the
    /// real idle time.
    public let idleNanoseconds: UInt64
}
