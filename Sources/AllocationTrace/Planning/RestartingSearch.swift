/// ``CanonicalSearch`` again and again with other orders, because how long it takes has a heavy tail: a search that
/// went wrong early rarely recovers, and another one may be done at once.
///
/// The first rounds take items by lifetime, area and the load of the sections they are alive in (the orders of
/// MiniMalloc); the later ones the same with noise, in turn pure and with more weight on items of those sections in
/// which earlier rounds failed. Every round is as long as Luby's sequence has it, by another unit.
struct RestartingSearch {
    /// What is known about a capacity.
    enum Outcome {
        case found(offsets: [Int])
        case infeasible
        case unknown
    }

    /// More items than this are not searched: a node costs time in proportion.
    private static let maximumItems = 50_000

    /// Whether a part can be searched with this capacity or a lower one.
    static func canSearch(_ part: PlanningPart, capacity: Int) -> Bool {
        part.itemCount <= maximumItems && capacity <= CanonicalSearch.maximumCapacity
    }

    private let part: PlanningPart
    private let graph: OverlapGraph
    private let keys: [[Double]]
    private var weights: [Double]
    private var random: SplitMix
    /// The next round for each capacity that was tried: a search that is stopped goes on later.
    private var nextRounds: [Int: Int] = [:]

    init(_ part: PlanningPart, graph: OverlapGraph, seed: UInt64) {
        self.part = part
        self.graph = graph
        random = SplitMix(seed: seed)
        weights = [Double](repeating: 1, count: part.sectionCount)
        let load = part.highestLoads()
        let lifetimes = part.lifetimes.map { Double($0) }
        let areas = part.sizes.indices.map { Double(part.sizes[$0]) * lifetimes[$0] }
        keys = [lifetimes, areas, load]
    }

    /// Looks for a plan no higher than `capacity` units until `stop` says so, and goes on from there when called again.
    ///
    /// - Precondition: the part can be searched with this capacity, and no item is larger.
    mutating func run(capacity: Int, stop: () -> Bool) -> Outcome {
        // By lifetime, area, load; by load, area, lifetime; by load, lifetime, area.
        let permutations = [[0, 1, 2], [2, 1, 0], [2, 0, 1]]
        var round = nextRounds[capacity] ?? 0
        defer { nextRounds[capacity] = round }
        while !stop() {
            var search = CanonicalSearch(
                part, graph: graph, order: order(permutations[round % 3], round: round), capacity: capacity)
            let unit = max(2000, 4 * part.itemCount)
            let length = unit << min(6, (round / 3).trailingZeroBitCount)
            switch search.run(nodeLimit: length, stop: stop) {
            case .found: return .found(offsets: search.offsets)
            case .infeasible: return .infeasible
            case .exhausted: learn(from: search.conflicts)
            }
            round += 1
        }
        return .unknown
    }

    private mutating func order(_ permutation: [Int], round: Int) -> [Int] {
        let isWeighted = round % 2 == 1
        let noise = round < 3 ? 0 : isWeighted ? 0.1 : 0.3
        let noisy = permutation.map { which in
            (0..<part.itemCount).map { item in
                let weight =
                    isWeighted && round >= 3
                    ? weights[part.firstSections[item]..<part.endSections[item]].max() ?? 1 : 1
                let factor = noise == 0 ? 1 : Double.random(in: 1 - noise...1 + noise, using: &random)
                return keys[which][item] * factor * weight
            }
        }
        return (0..<part.itemCount).sorted { left, right in
            for key in noisy where key[left] != key[right] { return key[left] > key[right] }
            return left < right
        }
    }

    private mutating func learn(from conflicts: [Int]) {
        let most = Double(max(1, conflicts.max() ?? 1))
        for section in weights.indices {
            weights[section] = 0.9 * weights[section] + 0.1 * (1 + 3 * Double(conflicts[section]) / most)
        }
    }
}

extension PlanningPart {
    /// For each item, the most units alive in any section of its life.
    fileprivate func highestLoads() -> [Double] {
        var loads = [Double](repeating: 0, count: sectionCount)
        for item in 0..<itemCount {
            for section in firstSections[item]..<endSections[item] { loads[section] += Double(sizes[item]) }
        }
        return (0..<itemCount).map { loads[firstSections[$0]..<endSections[$0]].max() ?? 0 }
    }
}
