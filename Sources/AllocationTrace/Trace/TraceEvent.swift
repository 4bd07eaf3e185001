/// One allocation or release of a trace, in 16 bytes.
public struct TraceEvent: Sendable, Equatable {
    /// What can happen.
    public enum Kind: UInt8, Sendable {
        case allocate
        case free
    }

    /// The bytes asked for. A free carries those of its allocation, whatever the recorded row said.
    public let byteCount: Int
    /// The block's number, dense from 0: unique among the blocks alive at that moment, used again after a free.
    public let slot: UInt32
    /// The thread's number, dense from 0 in the order of first appearance.
    public let thread: UInt16
    /// Whether memory was allocated or freed.
    public let kind: Kind

    @usableFromInline init(kind: Kind, slot: UInt32, byteCount: Int, thread: UInt16) {
        self.byteCount = byteCount
        self.slot = slot
        self.thread = thread
        self.kind = kind
    }
}
