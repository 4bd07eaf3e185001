/// The ways a ``Planner`` finds offsets.
public enum PlanningAlgorithm: String, CaseIterable, Sendable, Codable {
    /// In order of allocation, each at the lowest gap: what an allocator can do that knows no future.
    case firstFit = "first-fit"
    /// The largest first, each in the smallest gap that holds it.
    case bestFitBySize = "best-fit-by-size"
    /// The largest first, each at the lowest gap.
    case bySize = "by-size"
    /// The longest-lived first, each at the lowest gap.
    case byLifetime = "by-lifetime"
    /// What takes most bytes for most time first, each at the lowest gap.
    case byArea = "by-area"
    /// A search over orders: what lies too high in the best plan moves forward.
    case localSearch = "local-search"
    /// A search over all packings with pruning, within a capacity, as MiniMalloc does it.
    case exactSearch = "exact-search"
}

extension PlanningAlgorithm {
    /// What the algorithm does, in a few words.
    public var summary: String {
        switch self {
        case .firstFit: "in order of allocation, lowest gap"
        case .bestFitBySize: "largest first, smallest gap that holds it"
        case .bySize: "largest first, lowest gap"
        case .byLifetime: "longest-lived first, lowest gap"
        case .byArea: "size x lifetime first, lowest gap"
        case .localSearch: "orders changed where the plan is too high"
        case .exactSearch: "all packings, pruned"
        }
    }

    /// Whether the algorithm goes on from the best plan so far until it meets its goal.
    var isSearch: Bool { self == .localSearch || self == .exactSearch }

    /// The order and the gap of an algorithm that places each item once; nil for the others.
    func order(of part: PlanningPart) -> (items: [Int], fit: GapFinder.Fit)? {
        switch self {
        case .bestFitBySize: (part.descending { Double(part.sizes[$0]) }, .smallest)
        case .bySize: (part.descending { Double(part.sizes[$0]) }, .lowest)
        case .byLifetime: (part.descending { Double(part.lifetimes[$0]) }, .lowest)
        case .byArea: (part.descending { Double(part.sizes[$0]) * Double(part.lifetimes[$0]) }, .lowest)
        case .firstFit, .localSearch, .exactSearch: nil
        }
    }
}

extension PlanningPart {
    /// The items, highest key first; of the same key the larger, then the earlier one first.
    func descending(_ key: (Int) -> Double) -> [Int] {
        let keys = (0..<itemCount).map(key)
        return (0..<itemCount).sorted {
            if keys[$0] != keys[$1] { return keys[$0] > keys[$1] }
            if sizes[$0] != sizes[$1] { return sizes[$0] > sizes[$1] }
            return $0 < $1
        }
    }
}
