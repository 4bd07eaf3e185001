/// The state that the algorithms of one run share: the parts of a problem, and the best plan of each.
struct PlanningRun {
    typealias Instant = ContinuousClock.Instant

    private struct Best {
        var offsets: [Int]
        var peak: Int
    }

    private let itemCount: Int
    private let unit: Int
    private let seed: UInt64
    private let parts: [PlanningPart]
    /// Nil where there are too many overlaps to hold.
    private let graphs: [OverlapGraph]?
    /// In units: where a search of any part can end.
    private let goal: Int
    private let watch: PlanningWatch
    private var best: [Best?]

    init(_ problem: PlanningProblem, planner: Planner, watch: PlanningWatch) {
        let unit = Self.unit(of: problem, alignment: planner.alignment)
        let parts = PlanningPart.parts(of: problem, unit: unit)
        self.unit = unit
        self.parts = parts
        self.watch = watch
        itemCount = problem.items.count
        seed = planner.seed
        let pairs = parts.reduce(0) { $0 + OverlapGraph.pairCount($1) }
        graphs = pairs <= Planner.maximumPairs ? parts.map { OverlapGraph($0) } : nil
        goal = max(parts.map(\.lowerBound).max() ?? 0, (planner.capacity ?? 0) / unit)
        best = [Best?](repeating: nil, count: parts.count)
    }

    /// The largest number that divides the alignment and all sizes rounded up to it. A packing without gaps below any
    /// item has only multiples of it as offsets.
    private static func unit(of problem: PlanningProblem, alignment: Int) -> Int {
        var divisor = 0
        for item in problem.items {
            var (left, right) = (divisor, (item.byteCount - 1) / alignment + 1)
            while right != 0 { (left, right) = (right, left % right) }
            divisor = left
        }
        return max(1, divisor) * alignment
    }

    /// The offset of each item of the problem in bytes; nil where the algorithm did not get to the end in time.
    mutating func offsets(by algorithm: PlanningAlgorithm, until deadline: Instant) -> [Int]? {
        var result = [Int](repeating: 0, count: itemCount)
        // Parts share the time evenly; what one leaves is the others'.
        var open = algorithm.isSearch ? best.count { ($0?.peak ?? .max) > goal } : 1
        for index in parts.indices {
            let isOpen = algorithm.isSearch && (best[index]?.peak ?? .max) > goal
            let share = isOpen ? Self.instant(1, of: open, until: deadline) : deadline
            if isOpen { open -= 1 }
            guard let found = place(index, by: algorithm, until: share) else { return nil }
            for (item, place) in parts[index].places.enumerated() { result[place] = found.offsets[item] * unit }
            if found.peak < best[index]?.peak ?? .max { best[index] = found }
        }
        return result
    }

    private func place(_ index: Int, by algorithm: PlanningAlgorithm, until deadline: Instant) -> Best? {
        let part = parts[index]
        let stop = { watch.isOver(deadline, steps: OrderedPlacement.placementsPerQuestion) }
        if algorithm == .firstFit {
            return TimeOrderPlacement.place(part, stop: stop).map { Best(offsets: $0.offsets, peak: $0.peak) }
        }
        guard let graph = graphs?[index] else { return nil }
        if let (order, fit) = algorithm.order(of: part) {
            return OrderedPlacement.place(part, graph: graph, order: order, fit: fit, stop: stop)
                .map { Best(offsets: $0.offsets, peak: $0.peak) }
        }
        guard let best = best[index] else { return nil }
        if best.peak <= goal { return best }
        return algorithm == .localSearch
            ? searchOrders(part, graph: graph, until: deadline)
            : searchPackings(part, graph: graph, best: best, until: deadline)
    }

    private func searchOrders(_ part: PlanningPart, graph: OverlapGraph, until deadline: Instant) -> Best? {
        let stop = { watch.isOver(deadline, steps: 1) }
        guard let (order, fit) = PlanningAlgorithm.bySize.order(of: part),
            let start = OrderedPlacement.place(part, graph: graph, order: order, fit: fit, stop: stop)
        else { return nil }
        var search = OrderSearch(part, graph: graph, order: order, offsets: start.offsets, goal: goal, seed: seed)
        search.run(stop: stop)
        // Fewer bytes above the goal can end higher.
        return search.peak < start.peak
            ? Best(offsets: search.offsets, peak: search.peak) : Best(offsets: start.offsets, peak: start.peak)
    }

    /// Tries the goal for a third of the time that is left, then a height between it and the best plan for an eighth,
    /// and so on in turn. The heights are drawn at random, low ones more often: how hard one is says little about the
    /// next.
    private func searchPackings(
        _ part: PlanningPart, graph: OverlapGraph, best: Best, until deadline: Instant
    ) -> Best {
        guard RestartingSearch.canSearch(part, capacity: best.peak) else { return best }
        let clock = ContinuousClock()
        var random = SplitMix(seed: seed)
        var search = RestartingSearch(part, graph: graph, seed: seed)
        var best = best
        // No height below this one is possible.
        var lowest = goal
        var isAtGoal = true
        while clock.now < deadline {
            let share = Double.random(in: 0..<1, using: &random)
            let capacity = isAtGoal ? lowest : lowest + Int(Double(best.peak - lowest) * share * share)
            let end = Self.instant(1, of: isAtGoal ? 3 : 8, until: deadline)
            isAtGoal.toggle()
            switch search.run(
                capacity: capacity, stop: { watch.isOver(end, steps: CanonicalSearch.placementsPerQuestion) })
            {
            case .found(let offsets): best = Best(offsets: offsets, peak: part.height(offsets))
            case .infeasible: lowest = capacity + 1
            case .unknown: break
            }
            guard lowest < best.peak else { break }
        }
        return best
    }

    /// The moment at which `share` of `count` of the time left is over.
    private static func instant(_ share: Int, of count: Int, until deadline: Instant) -> Instant {
        let now = ContinuousClock.now
        return now.advanced(by: now.duration(to: deadline) * share / count)
    }
}

extension PlanningPart {
    /// Where the highest item ends.
    func height(_ offsets: [Int]) -> Int {
        offsets.indices.reduce(0) { max($0, offsets[$1] + sizes[$1]) }
    }
}
