extension BlockKind {
    /// A tensor that a debugging mode watches; ``Guards`` knows its memory.
    static var guarded: BlockKind { BlockKind(bin: 182) }
    /// A weight that a debugging mode watches.
    static var guardedWeight: BlockKind { BlockKind(bin: 183) }

    var isGuarded: Bool { self == .guarded || self == .guardedWeight }

    private static let scrubBit: UInt16 = 0x8000

    /// The same block, marked so that it is overwritten when it is freed.
    var withScrubbing: BlockKind { BlockKind(rawValue: rawValue | Self.scrubBit) }
    var withoutScrubbing: BlockKind { BlockKind(rawValue: rawValue & ~Self.scrubBit) }
    var isScrubbed: Bool { rawValue & Self.scrubBit != 0 }

    /// Whether a block is freed by ``SpecialBlock``, and not by its engine at once: planned, guarded or scrubbed.
    @inlinable var isSpecial: Bool {
        rawValue >= 0x8000 || rawValue &- BlockKind.planned.rawValue <= BlockKind(bin: 2).rawValue
    }
}
