/// Finds room between ranges that are taken.
struct GapFinder {
    /// Which gap is taken.
    enum Fit {
        case lowest
        /// The one that leaves the least; of the same, the lowest.
        case smallest
    }

    private var taken: [(offset: Int, end: Int)] = []

    mutating func reset() { taken.removeAll(keepingCapacity: true) }

    mutating func add(_ offset: Int, size: Int) { taken.append((offset, offset + size)) }

    /// The offset of a gap for `size`; the last one has no end.
    ///
    /// - Complexity: O(n log n) in the ranges added.
    mutating func gap(for size: Int, fit: Fit) -> Int {
        taken.sort { $0.offset < $1.offset }
        var end = 0
        var best: (offset: Int, size: Int)?
        for range in taken {
            let gap = range.offset - end
            if gap >= size {
                if fit == .lowest { return end }
                if best.map({ gap < $0.size }) ?? true { best = (end, gap) }
            }
            end = max(end, range.end)
        }
        return best?.offset ?? end
    }
}
