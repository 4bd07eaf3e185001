/// Places the items of a part one after the other, each in a gap between those placed that are alive with it.
enum OrderedPlacement {
    /// So many items are placed between two times that a placement asks whether it has to stop.
    static let placementsPerQuestion = 64

    /// Returns the offset of each item in units, and the peak; nil where `stop` said so, asked every
    /// ``placementsPerQuestion``.
    ///
    /// - Complexity: O(pairs x log of pairs an item).
    static func place(
        _ part: PlanningPart, graph: OverlapGraph, order: [Int], fit: GapFinder.Fit, stop: () -> Bool
    ) -> (offsets: [Int], peak: Int)? {
        var offsets = [Int](repeating: 0, count: part.itemCount)
        var isPlaced = [Bool](repeating: false, count: part.itemCount)
        var gaps = GapFinder()
        var peak = 0
        for (index, item) in order.enumerated() {
            if (index + 1) % placementsPerQuestion == 0 && stop() { return nil }
            gaps.reset()
            for index in graph.range(of: item) {
                let other = graph.neighbour(index)
                if isPlaced[other] { gaps.add(offsets[other], size: part.sizes[other]) }
            }
            offsets[item] = gaps.gap(for: part.sizes[item], fit: fit)
            isPlaced[item] = true
            peak = max(peak, offsets[item] + part.sizes[item])
        }
        return (offsets, peak)
    }
}
