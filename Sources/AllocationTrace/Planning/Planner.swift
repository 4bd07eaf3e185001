/// Gives tensors with known lifetimes their places in one slab, by several algorithms.
///
/// The same problem, seed and algorithms give the same plans wherever no search is stopped by the time limit.
/// Thread-safety: a value; runs may go on at the same time.
public struct Planner: Sendable {
    /// What every offset is a multiple of, in bytes, from 1 up.
    public var alignment: Int
    /// The bytes that are good enough: the searches end there. Nil for the lower bound.
    public var capacity: Int?
    /// What the random choices of the searches follow from.
    public var seed: UInt64
    /// How long all algorithms together may take. The searches end well before where they reach their goal.
    public var timeLimit: Duration

    /// Overlapping pairs that are held in memory, 8 bytes each. Problems with more get first fit only.
    static let maximumPairs = 1 << 27

    /// A planner; by default it packs without alignment, to the lower bound, for at most 30 seconds.
    ///
    /// - Precondition: `alignment` is from 1 to 2^30. Anything else stops the program.
    public init(alignment: Int = 1, capacity: Int? = nil, seed: UInt64 = 1, timeLimit: Duration = .seconds(30)) {
        guard (1...1 << 30).contains(alignment) else { fatalError("an alignment is from 1 to 2^30, not \(alignment)") }
        self.alignment = alignment
        self.capacity = capacity
        self.seed = seed
        self.timeLimit = timeLimit
    }

    /// Runs all algorithms, the quick ones first. Local search may take a tenth of the time that is left, exact search
    /// the rest; both take parts over from the best plan so far where that is at the goal already.
    ///
    /// - Parameter onProgress: called on this thread before each algorithm, and about twice a second while one runs.
    /// - Returns: what came of each, in the order of ``PlanningAlgorithm``.
    public func run(
        _ problem: PlanningProblem, onProgress: (PlanningProgress) -> Void = { _ in }
    ) -> [PlanningOutcome] {
        withoutActuallyEscaping(onProgress) { onProgress in
            let clock = ContinuousClock()
            let end = clock.now.advanced(by: timeLimit)
            let watch = PlanningWatch(onProgress: onProgress)
            var run = PlanningRun(problem, planner: self, watch: watch)
            return PlanningAlgorithm.allCases.map { algorithm in
                watch.begin(algorithm)
                let start = clock.now
                let share = algorithm == .localSearch ? start.advanced(by: start.duration(to: end) / 10) : end
                let plan = run.offsets(by: algorithm, until: share).map { Plan(problem, offsets: $0) }
                if let plan { watch.bestByteCount = min(plan.byteCount, watch.bestByteCount ?? .max) }
                return PlanningOutcome(algorithm: algorithm, plan: plan, duration: start.duration(to: clock.now))
            }
        }
    }
}

/// A place for every item of a problem.
public struct Plan: Sendable, Equatable {
    /// In bytes, by item, in the problem's order.
    public let offsets: [Int]
    /// Where the highest item ends: the bytes that the slab needs.
    public let byteCount: Int

    init(_ problem: PlanningProblem, offsets: [Int]) {
        self.offsets = offsets
        byteCount = zip(offsets, problem.items).reduce(0) { max($0, $1.0 + $1.1.byteCount) }
    }
}

/// What came of one algorithm.
public struct PlanningOutcome: Sendable, Equatable {
    /// Which one.
    public let algorithm: PlanningAlgorithm
    /// Nil where there was not the time, or where the problem has too many overlaps for this algorithm.
    public let plan: Plan?
    /// How long it took.
    public let duration: Duration
}
