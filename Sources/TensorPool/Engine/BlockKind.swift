/// What a block is made of: decides how it is freed.
///
/// The kind of a block that a thread's cache may keep is its bin there, so that a free need not work it out again.
@frozen @usableFromInline struct BlockKind: RawRepresentable, Equatable, Sendable {
    @usableFromInline let rawValue: UInt16

    @inlinable init(rawValue: UInt16) { self.rawValue = rawValue }

    /// A block of a size class; values below ``SizeClass/count`` are class numbers.
    @inlinable static func small(_ index: Int) -> BlockKind { BlockKind(rawValue: UInt16(truncatingIfNeeded: index)) }
    /// Whole granules: of the span heap, or, in a standard pool with fast reuse, of an arena.
    @inlinable static func span(_ granules: Int) -> BlockKind {
        BlockKind(rawValue: UInt16(truncatingIfNeeded: CacheLayout.spanBin(granules)))
    }
    /// Straight from an arena by `mallocx`, freed straight to it.
    static var direct: BlockKind { BlockKind(rawValue: 178) }
    /// From the weight store.
    static var weight: BlockKind { BlockKind(rawValue: 179) }
    /// A span that became a weight where it is.
    static var promotedSpan: BlockKind { BlockKind(rawValue: 180) }

    @inlinable var isSmall: Bool { rawValue < CacheLayout.firstSpanBin }
    @inlinable var isSpan: Bool { !isSmall && isCacheable }
    /// Whether a thread's cache may keep such a block.
    @inlinable var isCacheable: Bool { rawValue < CacheLayout.recordBin }
    /// Whether such a block has a bin that no other size shares.
    @inlinable var hasOwnBin: Bool { rawValue < CacheLayout.firstSharedBin }
    /// The bin of a cacheable block.
    @inlinable var bin: Int { Int(rawValue) }

    var isWeight: Bool {
        let kind = withoutScrubbing
        return kind == .weight || kind == .promotedSpan || kind == .guardedWeight
    }

    private static let sampleBit: UInt16 = 0x100

    /// The same block, marked so that its free takes the slow path, where its lifetime is noted.
    var withSample: BlockKind { BlockKind(rawValue: rawValue | Self.sampleBit) }
    var withoutSample: BlockKind { BlockKind(rawValue: rawValue & ~Self.sampleBit) }
    var isSampled: Bool { rawValue & Self.sampleBit != 0 }
}
