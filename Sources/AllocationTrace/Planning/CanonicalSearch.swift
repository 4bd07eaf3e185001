/// An exact search for offsets within a capacity, for one part of a problem.
///
/// Depth first over placements from the bottom up, pruned by the ideas of MiniMalloc (Moffitt, ASPLOS 2023): each item
/// lies on another one or on the ground, and items are placed in the order of their offsets, so that each packing
/// is met once (*canonical*); a placement is left out where another item fits wholly below it (*dominance*); in every
/// section, what is not placed yet must fit between the lowest place it can have and the capacity (*section inference*
/// with a *monotonic floor*); and where the placed items cut the rest in two in time, each piece is searched alone
/// (*dynamic decomposition*).
struct CanonicalSearch {
    enum Outcome {
        case found
        case infeasible
        /// The nodes were used up before the answer was known.
        case exhausted
    }

    /// Placements on top of each other that are searched, so that recursion stays within any thread's stack.
    private static let maximumDepth = 3000
    /// The largest capacity in units: every sum of two heights fits in 32 bits.
    static let maximumCapacity = Int(Int32.max / 2)

    private let capacity: Int32
    private let sizes: [Int32]
    private let firsts: [Int32]
    private let ends: [Int32]
    /// The items alive together with each, one list after the other.
    private let neighbours: [Int32]
    private let neighbourStarts: [Int]
    /// Items by rank: what comes first is tried first at the same offset.
    private let order: [Int]

    private var minimumOffsets: [Int32]
    private var isPlaced: [Bool]
    /// What each section still has to hold.
    private var totals: [Int32]
    /// How many unplaced items are alive on both sides of the boundary after a section.
    private var cuts: [Int32]
    private var floors: [Int32]
    /// How often each section was the reason that a branch was left.
    private(set) var conflicts: [Int]
    private var trail: [(item: Int32, offset: Int32)] = []
    private var solution: [Int32]
    private var nodesLeft = 0
    private var depth = 0

    /// - Parameter order: the part's items, first the one to be tried first.
    init(_ part: PlanningPart, graph: OverlapGraph, order: [Int], capacity: Int) {
        self.capacity = Int32(capacity)
        self.order = order
        var ranks = [Int](repeating: 0, count: order.count)
        for (rank, item) in order.enumerated() { ranks[item] = rank }
        sizes = order.map { Int32(part.sizes[$0]) }
        firsts = order.map { Int32(part.firstSections[$0]) }
        ends = order.map { Int32(part.endSections[$0]) }
        var neighbours: [Int32] = []
        neighbours.reserveCapacity(graph.neighbourCount)
        var starts = [0]
        for item in order {
            for index in graph.range(of: item) { neighbours.append(Int32(ranks[graph.neighbour(index)])) }
            starts.append(neighbours.count)
        }
        self.neighbours = neighbours
        neighbourStarts = starts
        minimumOffsets = [Int32](repeating: 0, count: order.count)
        solution = minimumOffsets
        isPlaced = [Bool](repeating: false, count: order.count)
        totals = [Int32](repeating: 0, count: part.sectionCount)
        cuts = totals
        floors = totals
        conflicts = [Int](repeating: 0, count: part.sectionCount)
        for item in order.indices {
            for section in Int(firsts[item])..<Int(ends[item]) {
                totals[section] += sizes[item]
                if section + 1 < Int(ends[item]) { cuts[section] += 1 }
            }
        }
    }

    /// Searches until the answer is known, `nodeLimit` placements were tried, or `stop` says so, asked every 256
    /// placements. Starts anew at each call.
    mutating func run(nodeLimit: Int, stop: () -> Bool) -> Outcome {
        nodesLeft = nodeLimit
        let all = order.indices.map { Int32($0) }
        return search(all, sections: 0..<totals.count, lastOffset: 0, lastRank: -1, stop: stop)
    }

    /// The offsets that were found, by item.
    var offsets: [Int] {
        var result = [Int](repeating: 0, count: order.count)
        for (rank, item) in order.enumerated() { result[item] = Int(solution[rank]) }
        return result
    }

    /// Places all of `open`, which are the unplaced items of a range of sections.
    private mutating func search(
        _ open: [Int32], sections: Range<Int>, lastOffset: Int32, lastRank: Int32, stop: () -> Bool
    ) -> Outcome {
        if open.isEmpty { return .found }
        depth += 1
        defer { depth -= 1 }
        if depth > Self.maximumDepth { return .exhausted }
        var lowestTop = Int32.max
        for rank in open { lowestTop = min(lowestTop, minimumOffsets[Int(rank)] + sizes[Int(rank)]) }
        // An item that fits below everything to come should have been placed there.
        if lowestTop <= lastOffset { return .infeasible }
        guard let highest = highestNextOffset(open, sections: sections, lastOffset: lastOffset) else {
            return .infeasible
        }

        var candidates: [Int64] = []
        for rank in open {
            let offset = minimumOffsets[Int(rank)]
            if offset < lowestTop && offset <= highest
                && (offset > lastOffset || (offset == lastOffset && rank > lastRank))
            {
                candidates.append(Int64(offset) << 32 | Int64(rank))
            }
        }
        candidates.sort()
        for candidate in candidates {
            if nodesLeft == 0 { return .exhausted }
            nodesLeft -= 1
            if nodesLeft & 255 == 0 && stop() { nodesLeft = 0 }
            let rank = Int32(truncatingIfNeeded: candidate)
            let mark = trail.count
            let isCut = place(Int(rank), within: sections)
            let outcome =
                isCut
                ? searchPieces(open, without: rank, sections: sections, stop: stop)
                : search(
                    open.filter { $0 != rank }, sections: sections, lastOffset: minimumOffsets[Int(rank)],
                    lastRank: rank, stop: stop)
            if outcome == .found { solution[Int(rank)] = minimumOffsets[Int(rank)] }
            unplace(Int(rank), mark: mark)
            if outcome != .infeasible { return outcome }
        }
        return .infeasible
    }

    /// Searches each piece of the sections that no unplaced item connects to the others.
    private mutating func searchPieces(
        _ open: [Int32], without placed: Int32, sections: Range<Int>, stop: () -> Bool
    ) -> Outcome {
        var start = sections.lowerBound
        for section in sections where section == sections.upperBound - 1 || cuts[section] == 0 {
            let piece = start..<section + 1
            start = section + 1
            let items = open.filter { $0 != placed && piece.contains(Int(firsts[Int($0)])) }
            let outcome = search(
                items, sections: piece, lastOffset: minimumOffsets[Int(placed)], lastRank: placed, stop: stop)
            if outcome != .found { return outcome }
        }
        return .found
    }

    /// How high the next item may be placed so that every section can still hold what is unplaced, by the sums of
    /// sizes. Nil where one cannot already.
    private mutating func highestNextOffset(_ open: [Int32], sections: Range<Int>, lastOffset: Int32) -> Int32? {
        Self.lower(&floors, of: sections, for: open, offsets: minimumOffsets, firsts: firsts, ends: ends)
        var highest = Int32.max
        for section in sections where totals[section] > 0 {
            let room = capacity - totals[section]
            if max(floors[section], lastOffset) > room {
                conflicts[section] += 1
                return nil
            }
            highest = min(highest, room)
        }
        return highest
    }

    /// Sets the floor of each section to the lowest offset that any of its open items can have. It is here that a search
    /// spends its time.
    private static func lower(
        _ floors: inout [Int32], of sections: Range<Int>, for open: [Int32], offsets: [Int32], firsts: [Int32],
        ends: [Int32]
    ) {
        var floors = floors.mutableSpan
        for section in sections { floors[section] = .max }
        for rank in open {
            let rank = Int(rank)
            let offset = offsets[rank]
            for section in Int(firsts[rank])..<Int(ends[rank]) {
                // Within `floors`: it has an entry for every section of the part.
                unsafe floors[unchecked: section] = min(floors[unchecked: section], offset)
            }
        }
    }

    /// Puts an item at its lowest offset. Whether that cuts the sections in pieces.
    private mutating func place(_ rank: Int, within sections: Range<Int>) -> Bool {
        isPlaced[rank] = true
        let top = minimumOffsets[rank] + sizes[rank]
        for index in neighbourStarts[rank]..<neighbourStarts[rank + 1] {
            let other = Int(neighbours[index])
            if !isPlaced[other] && minimumOffsets[other] < top {
                trail.append((Int32(other), minimumOffsets[other]))
                minimumOffsets[other] = top
            }
        }
        var isCut = false
        for section in Int(firsts[rank])..<Int(ends[rank]) {
            totals[section] -= sizes[rank]
            if section + 1 < Int(ends[rank]) {
                cuts[section] -= 1
                if cuts[section] == 0 { isCut = true }
            }
        }
        return isCut
    }

    private mutating func unplace(_ rank: Int, mark: Int) {
        isPlaced[rank] = false
        while trail.count > mark {
            let change = trail.removeLast()
            minimumOffsets[Int(change.item)] = change.offset
        }
        for section in Int(firsts[rank])..<Int(ends[rank]) {
            totals[section] += sizes[rank]
            if section + 1 < Int(ends[rank]) { cuts[section] += 1 }
        }
    }
}
