/// What a block is made of: decides how it is freed.
///
/// The kind of a block that a thread's cache may keep is its bin there, so that a free need not work it out again.
@frozen @usableFromInline struct BlockKind: RawRepresentable, Equatable, Sendable {
    /// The bin's distance from the first one in bytes, so that a bin is found by one addition, and marks in the other bits.
    @usableFromInline let rawValue: UInt16

    @inlinable init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable init(bin: Int) { rawValue = UInt16(truncatingIfNeeded: bin &<< CacheLayout.binShift) }

    /// A block of a size class.
    @inlinable static func small(_ index: Int) -> BlockKind { BlockKind(bin: index) }
    /// Whole granules: of the span heap, or, in a standard pool with fast reuse, of an arena.
    @inlinable static func span(_ granules: Int) -> BlockKind {
        BlockKind(bin: CacheLayout.spanBin(granules))
    }
    /// Straight from an arena by `mallocx`, freed straight to it.
    static var direct: BlockKind { BlockKind(bin: 178) }
    /// From the weight store.
    static var weight: BlockKind { BlockKind(bin: 179) }
    /// A span that became a weight where it is.
    static var promotedSpan: BlockKind { BlockKind(bin: 180) }

    @inlinable var isSmall: Bool { self < BlockKind(bin: CacheLayout.firstSpanBin) }
    @inlinable var isSpan: Bool { !isSmall && isCacheable }
    /// Whether a thread's cache may keep such a block.
    @inlinable var isCacheable: Bool { self < BlockKind(bin: CacheLayout.recordBin) }
    /// Whether such a block has a bin that no other size shares.
    @inlinable var hasOwnBin: Bool { self < BlockKind(bin: CacheLayout.firstSharedBin) }
    /// The bin of a cacheable block.
    @inlinable var bin: Int { Int(rawValue &>> CacheLayout.binShift) }

    @inlinable @inline(__always) static func < (left: BlockKind, right: BlockKind) -> Bool {
        left.rawValue < right.rawValue
    }

    var isWeight: Bool {
        let kind = withoutScrubbing.withoutObserver
        return kind == .weight || kind == .promotedSpan || kind == .guardedWeight
    }

    private static let sampleBit: UInt16 = 0x4000

    /// The same block, marked so that its free takes the slow path, where its lifetime is noted.
    var withSample: BlockKind { BlockKind(rawValue: rawValue | Self.sampleBit) }
    var withoutSample: BlockKind { BlockKind(rawValue: rawValue & ~Self.sampleBit) }
    var isSampled: Bool { rawValue & Self.sampleBit != 0 }
}
