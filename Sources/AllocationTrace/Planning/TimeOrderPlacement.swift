/// Places the items of a part as an allocator would that knows no future: at birth, at the lowest gap that is free.
enum TimeOrderPlacement {
    /// Returns the offset of each item in units, and the peak; nil where `stop` said so, asked every
    /// ``OrderedPlacement/placementsPerQuestion``.
    ///
    /// - Complexity: O(items x items alive).
    static func place(_ part: PlanningPart, stop: () -> Bool) -> (offsets: [Int], peak: Int)? {
        var offsets = [Int](repeating: 0, count: part.itemCount)
        // Those alive, by offset.
        var alive: [Int] = []
        var section = 0
        var peak = 0
        for item in 0..<part.itemCount {
            if (item + 1) % OrderedPlacement.placementsPerQuestion == 0 && stop() { return nil }
            if part.firstSections[item] != section {
                section = part.firstSections[item]
                alive.removeAll { part.endSections[$0] <= section }
            }
            var offset = 0
            var place = alive.endIndex
            for (index, other) in alive.enumerated() {
                if offsets[other] - offset >= part.sizes[item] {
                    place = index
                    break
                }
                offset = offsets[other] + part.sizes[other]
            }
            offsets[item] = offset
            alive.insert(item, at: place)
            peak = max(peak, offset + part.sizes[item])
        }
        return (offsets, peak)
    }
}
