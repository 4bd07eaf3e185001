/// Which items of a part are alive at the same time.
struct OverlapGraph {
    private let starts: [Int]
    private let neighbours: [Int32]

    /// How many places all lists have together.
    var neighbourCount: Int { neighbours.count }

    func range(of item: Int) -> Range<Int> { starts[item]..<starts[item + 1] }
    func neighbour(_ index: Int) -> Int { Int(neighbours[index]) }

    /// How many pairs of items of a part overlap: half of what a graph holds.
    ///
    /// - Complexity: O(items + sections).
    static func pairCount(_ part: PlanningPart) -> Int {
        var ending = [Int](repeating: 0, count: part.sectionCount + 1)
        for end in part.endSections { ending[end] += 1 }
        var pairs = 0
        var alive = 0
        var section = 0
        for first in part.firstSections {
            while section < first {
                section += 1
                alive -= ending[section]
            }
            pairs += alive
            alive += 1
        }
        return pairs
    }

    /// - Complexity: O(pairs).
    init(_ part: PlanningPart) {
        var degrees = [Int](repeating: 0, count: part.itemCount + 1)
        Self.forEachPair(part) {
            degrees[$0] += 1; degrees[$1] += 1
        }
        var starts = [0]
        starts.reserveCapacity(part.itemCount + 1)
        for item in 0..<part.itemCount { starts.append(starts[item] + degrees[item]) }
        var next = starts
        var neighbours = [Int32](repeating: 0, count: starts[part.itemCount])
        Self.forEachPair(part) {
            neighbours[next[$0]] = Int32($1)
            next[$0] += 1
            neighbours[next[$1]] = Int32($0)
            next[$1] += 1
        }
        self.starts = starts
        self.neighbours = neighbours
    }

    /// Items are numbered by their first section, so those alive at an item's birth are earlier ones.
    private static func forEachPair(_ part: PlanningPart, _ body: (Int, Int) -> Void) {
        var alive: [Int] = []
        var section = 0
        for item in 0..<part.itemCount {
            if part.firstSections[item] != section {
                section = part.firstSections[item]
                alive.removeAll { part.endSections[$0] <= section }
            }
            for other in alive { body(other, item) }
            alive.append(item)
        }
    }
}
