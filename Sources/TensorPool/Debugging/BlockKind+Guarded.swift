extension BlockKind {
    /// A tensor that a debugging mode watches; ``Guards`` knows its memory.
    static var guarded: BlockKind { BlockKind(bin: 182) }
    /// A weight that a debugging mode watches.
    static var guardedWeight: BlockKind { BlockKind(bin: 183) }

    var isGuarded: Bool { self == .guarded || self == .guardedWeight }

    /// Whether a block is freed by ``SpecialBlock``, and not by its engine at once: planned, guarded or marked.
    @inlinable var isSpecial: Bool {
        rawValue >= Self.marked || rawValue &- BlockKind.planned.rawValue <= BlockKind(bin: 2).rawValue
    }

    // MARK: - Marks

    /// The same block, marked so that it is overwritten when it is freed.
    var withScrubbing: BlockKind { with(Self.scrubMark) }
    var withoutScrubbing: BlockKind { without(Self.scrubMark) }
    var isScrubbed: Bool { rawValue & Self.scrubMark != 0 }

    /// The same block, marked so that its end is an observer's, whose number is beside the engine's.
    @inlinable var withObserver: BlockKind { with(Self.observerMark) }
    var withoutObserver: BlockKind { without(Self.observerMark) }
    var isObserved: Bool { rawValue & Self.observerMark != 0 }

    /// Every kind with a mark has this bit, so that it is no bin's. Marks are below a bin's distance.
    @inlinable static var marked: UInt16 { 0x8000 }
    private static var scrubMark: UInt16 { 1 }
    @inlinable static var observerMark: UInt16 { 2 }

    @inlinable func with(_ mark: UInt16) -> BlockKind { BlockKind(rawValue: rawValue | mark | Self.marked) }

    private func without(_ mark: UInt16) -> BlockKind {
        let rest = rawValue & ~mark
        return BlockKind(rawValue: rest & (Self.scrubMark | Self.observerMark) == 0 ? rest & ~Self.marked : rest)
    }
}
