/// A piece of memory that a tensor gets.
@frozen @usableFromInline @unsafe struct Block: @unchecked Sendable {
    @usableFromInline let address: UnsafeMutableRawPointer
    @usableFromInline let kind: BlockKind

    @inlinable init(address: UnsafeMutableRawPointer, kind: BlockKind) {
        unsafe self.address = address
        unsafe self.kind = kind
    }
}

/// What is asked of an engine.
struct BlockRequest: Sendable {
    var byteCount: Int
    /// A power of two, at least 64.
    var alignment: Int
    var zeroed: Bool
    var role: TensorRole
}

/// How a slow path ended.
@safe enum Served {
    case block(Block)
    /// The limit of the base pool stands in the way of this many more reserved bytes.
    case limitReached(needed: Int)
    /// The system refused this many bytes.
    case refused(needed: Int)
}

/// A count of allocations and frees per bin, for what happens without a thread cache.
struct BinCounts {
    var allocations = 0
    var frees = 0
    var misses = 0
}
