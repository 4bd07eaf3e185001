/// The items of a part as a search sees them, by rank: what does not change while it goes on. In units, 32 bits each.
struct RankedItems {
    let capacity: Int32
    let sizes: [Int32]
    /// The first section of each item, and the one after its last.
    let firsts: [Int32]
    let ends: [Int32]
    /// The items alive together with each, one list after the other.
    let neighbours: [Int32]
    let neighbourStarts: [Int]
    /// The items alive in each section, one list after the other.
    let members: [Int32]
    let memberStarts: [Int]

    init(_ part: PlanningPart, graph: OverlapGraph, order: [Int], capacity: Int) {
        self.capacity = Int32(capacity)
        var ranks = [Int](repeating: 0, count: order.count)
        for (rank, item) in order.enumerated() { ranks[item] = rank }
        sizes = order.map { Int32(part.sizes[$0]) }
        firsts = order.map { Int32(part.firstSections[$0]) }
        ends = order.map { Int32(part.endSections[$0]) }
        var neighbours: [Int32] = []
        neighbours.reserveCapacity(graph.neighbourCount)
        var starts = [0]
        var counts = [Int](repeating: 0, count: part.sectionCount)
        for item in order {
            for index in graph.range(of: item) { neighbours.append(Int32(ranks[graph.neighbour(index)])) }
            starts.append(neighbours.count)
            for section in part.firstSections[item]..<part.endSections[item] { counts[section] += 1 }
        }
        self.neighbours = neighbours
        neighbourStarts = starts
        var memberStarts = [0]
        for count in counts { memberStarts.append(memberStarts[memberStarts.count - 1] + count) }
        self.memberStarts = memberStarts
        var members = [Int32](repeating: 0, count: memberStarts[counts.count])
        for (rank, item) in order.enumerated() {
            for section in part.firstSections[item]..<part.endSections[item] {
                members[memberStarts[section]] = Int32(rank)
                memberStarts[section] += 1
            }
        }
        self.members = members
    }

    func sections(of item: Int) -> Range<Int> { Int(firsts[item])..<Int(ends[item]) }
    func neighbourIndices(of item: Int) -> Range<Int> { neighbourStarts[item]..<neighbourStarts[item + 1] }
}
