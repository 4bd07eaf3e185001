/// What a block is made of: decides how it is freed.
@frozen @usableFromInline struct BlockKind: RawRepresentable, Equatable, Sendable {
    @usableFromInline let rawValue: UInt8

    @inlinable init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A block of a size class; values below ``SizeClass/count`` are class numbers.
    @inlinable static func small(_ index: Int) -> BlockKind { BlockKind(rawValue: UInt8(truncatingIfNeeded: index)) }
    /// Whole granules: of the span heap, or, in a standard pool with fast reuse, of an arena.
    @inlinable static var span: BlockKind { BlockKind(rawValue: 32) }
    /// Straight from an arena by `mallocx`, freed straight to it.
    @inlinable static var direct: BlockKind { BlockKind(rawValue: 33) }
    /// From the weight store.
    @inlinable static var weight: BlockKind { BlockKind(rawValue: 34) }
    /// A span that became a weight where it is.
    @inlinable static var promotedSpan: BlockKind { BlockKind(rawValue: 35) }

    @inlinable var isSmall: Bool { rawValue < 32 }
    /// Whether a thread's cache may keep such a block.
    @inlinable var isCacheable: Bool { rawValue <= 32 }

    var isWeight: Bool {
        let kind = withoutScrubbing
        return kind == .weight || kind == .promotedSpan || kind == .guardedWeight
    }

    private static let sampleBit: UInt8 = 0x40

    /// The same block, marked so that its free takes the slow path, where its lifetime is noted.
    var withSample: BlockKind { BlockKind(rawValue: rawValue | Self.sampleBit) }
    var withoutSample: BlockKind { BlockKind(rawValue: rawValue & ~Self.sampleBit) }
    var isSampled: Bool { rawValue & Self.sampleBit != 0 }
}
