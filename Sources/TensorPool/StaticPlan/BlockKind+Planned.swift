extension BlockKind {
    /// A place of a ``StaticPlan``; the number beside it in a buffer is that of the place, not an engine's.
    @inlinable static var planned: BlockKind { BlockKind(bin: 181) }
}
