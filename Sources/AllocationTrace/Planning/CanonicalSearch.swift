/// An exact search for offsets within a capacity, for one part of a problem.
///
/// Depth first over placements from the bottom up, pruned by the ideas of MiniMalloc (Moffitt, ASPLOS 2023): each item
/// lies on another one or on the ground, and items are placed in the order of their offsets, so that each packing
/// is met once (*canonical*); a placement is left out where another item fits wholly below it (*dominance*); in every
/// section, what is not placed yet must fit between the lowest place it can have and the capacity (*section inference*
/// with a *monotonic floor*); and where the placed items cut the rest in two in time, each piece is searched alone
/// (*dynamic decomposition*). What is beyond MiniMalloc is in ``OffsetBounds``.
struct CanonicalSearch {
    enum Outcome {
        case found
        case infeasible
        /// The nodes were used up before the answer was known.
        case exhausted
    }

    /// Placements on top of each other that are searched, so that recursion stays within any thread's stack.
    private static let maximumDepth = 3000
    /// So many placements are tried between two times that a search asks whether it has to stop.
    static let placementsPerQuestion = 256
    /// The largest capacity in units: every sum of two heights fits in 32 bits.
    static let maximumCapacity = Int(Int32.max / 2)

    private let shape: RankedItems
    /// Items by rank: what comes first is tried first at the same offset.
    private let order: [Int]

    private var packing: Packing
    private var bounds: OffsetBounds
    /// How many unplaced items are alive on both sides of the boundary after a section.
    private var cuts: [Int32]
    private var trail: [(item: Int32, offset: Int32)] = []
    private var solution: [Int32]
    private var nodesLeft = 0
    private var depth = 0

    /// - Parameter order: the part's items, first the one to be tried first.
    init(_ part: PlanningPart, graph: OverlapGraph, order: [Int], capacity: Int) {
        self.order = order
        shape = RankedItems(part, graph: graph, order: order, capacity: capacity)
        packing = Packing(shape)
        bounds = OffsetBounds(shape)
        solution = [Int32](repeating: 0, count: order.count)
        cuts = [Int32](repeating: 0, count: part.sectionCount)
        for item in order.indices {
            for section in shape.sections(of: item).dropLast() { cuts[section] += 1 }
        }
    }

    /// How often each section was the reason that a branch was left.
    var conflicts: [Int] { bounds.conflicts }

    /// Searches until the answer is known, `nodeLimit` placements were tried, or `stop` says so, asked every
    /// ``placementsPerQuestion``. Starts anew at each call.
    mutating func run(nodeLimit: Int, stop: () -> Bool) -> Outcome {
        nodesLeft = nodeLimit
        let all = order.indices.map { Int32($0) }
        return search(all, sections: 0..<cuts.count, lastOffset: 0, lastRank: -1, stop: stop)
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
        for rank in open { lowestTop = min(lowestTop, packing.lowest[Int(rank)] + shape.sizes[Int(rank)]) }
        // An item that fits below everything to come should have been placed there.
        if lowestTop <= lastOffset { return .infeasible }
        let boundMark = bounds.mark
        defer { bounds.restore(boundMark) }
        let last = (offset: lastOffset, rank: lastRank)
        guard let highest = bounds.tighten(open, sections: sections, after: last, of: shape, in: packing) else {
            return .infeasible
        }

        var candidates: [Int64] = []
        for rank in open {
            let offset = packing.lowest[Int(rank)]
            if offset < lowestTop && offset <= highest && bounds.allow(offset, for: Int(rank), after: last) {
                candidates.append(Int64(offset) << 32 | Int64(rank))
            }
        }
        candidates.sort()
        for candidate in candidates {
            if nodesLeft == 0 { return .exhausted }
            nodesLeft -= 1
            if nodesLeft % Self.placementsPerQuestion == 0 && stop() { nodesLeft = 0 }
            let rank = Int32(truncatingIfNeeded: candidate)
            let mark = trail.count
            let isCut = place(Int(rank), within: sections)
            let outcome =
                isCut
                ? searchPieces(open, without: rank, sections: sections, stop: stop)
                : search(
                    open.filter { $0 != rank }, sections: sections, lastOffset: packing.lowest[Int(rank)],
                    lastRank: rank, stop: stop)
            if outcome == .found { solution[Int(rank)] = packing.lowest[Int(rank)] }
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
            let items = open.filter { $0 != placed && piece.contains(Int(shape.firsts[Int($0)])) }
            let outcome = search(
                items, sections: piece, lastOffset: packing.lowest[Int(placed)], lastRank: placed, stop: stop)
            if outcome != .found { return outcome }
        }
        return .found
    }

    /// Puts an item at its lowest offset. Whether that cuts the sections in pieces.
    private mutating func place(_ rank: Int, within sections: Range<Int>) -> Bool {
        packing.isPlaced[rank] = true
        let top = packing.lowest[rank] + shape.sizes[rank]
        for index in shape.neighbourIndices(of: rank) {
            let other = Int(shape.neighbours[index])
            if !packing.isPlaced[other] && packing.lowest[other] < top {
                trail.append((Int32(other), packing.lowest[other]))
                packing.lowest[other] = top
            }
        }
        var isCut = false
        for section in shape.sections(of: rank) {
            packing.totals[section] -= shape.sizes[rank]
            if section + 1 < Int(shape.ends[rank]) {
                cuts[section] -= 1
                if cuts[section] == 0 { isCut = true }
            }
        }
        return isCut
    }

    private mutating func unplace(_ rank: Int, mark: Int) {
        packing.isPlaced[rank] = false
        while trail.count > mark {
            let change = trail.removeLast()
            packing.lowest[Int(change.item)] = change.offset
        }
        for section in shape.sections(of: rank) {
            packing.totals[section] += shape.sizes[rank]
            if section + 1 < Int(shape.ends[rank]) { cuts[section] += 1 }
        }
    }
}
