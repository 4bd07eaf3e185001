/// What was measured of one size bin in both strategies, and the route that follows from it.
struct BinMeasurement: Sendable {
    /// The last timings of one strategy, the first one set aside.
    struct Window: Sendable {
        static let capacity = 8
        private(set) var samples: [Double] = []
        private var isWarm = false
        private var next = 0

        /// How many timings a comparison needs.
        var isSufficient: Bool { samples.count >= 4 }

        var median: Double? {
            guard !samples.isEmpty else { return nil }
            let sorted = samples.sorted()
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }

        mutating func add(_ nanoseconds: Double) {
            guard isWarm else {
                isWarm = true
                return
            }
            if samples.count < Self.capacity {
                samples.append(nanoseconds)
            } else {
                samples[next] = nanoseconds
                next = (next + 1) % Self.capacity
            }
        }
    }

    /// How many comparisons in a row must speak for the other strategy.
    static let hysteresis = 3
    /// How many visits of the slow path lie between the first comparisons; doubled after each that changes nothing, so
    /// that all comparisons of a steady size together cost next to nothing.
    static let firstInterval = 64
    static let longestInterval = 1 << 20
    /// Visits to let go by where the pool cannot pay for a timing: a look takes a lock and a few hundred nanoseconds, and
    /// is not to show in the slowest of a thousand allocations.
    static let unpaidInterval = 1024

    private(set) var route: AllocationStrategy = .optimized
    private(set) var visits = 0
    /// Visits from here to the one that is to be timed.
    private(set) var visitsUntilTrial: Int
    /// Visits that the last look allowed to go by uncounted.
    private var skip = 0
    private(set) var standard = Window()
    private(set) var optimized = Window()
    private var interval = firstInterval
    private var trials = 0
    private var against = 0
    /// The most nanoseconds that a timing is charged with: what is beyond them came from the machine, or from the first
    /// use of an arena.
    static let dearestCharged = 100_000.0
    /// The most that a timing took, in nanoseconds; before the first, the touch of four pages that fault.
    private var dearest = 12_000.0
    /// Comparisons made.
    private(set) var comparisons = 0

    /// - Parameter minimumUses: visits before the first timing.
    init(minimumUses: Int) { visitsUntilTrial = minimumUses + 1 }

    func window(_ strategy: AllocationStrategy) -> Window { strategy == .standard ? standard : optimized }

    /// Counts the visits that went by since the last look, as many as were allowed then, and this one, and pays for each
    /// into the pool's allowance. The strategy to time this one in, and how many may go by until the next look.
    mutating func look(allowance: inout Double, perVisit: Double) -> (strategy: AllocationStrategy?, skip: Int) {
        allowance += Double(skip + 1) * perVisit
        let strategy = nextTrial(visits: skip + 1, allowance: allowance)
        skip = visitsUntilTrial - 1
        return (strategy, skip)
    }

    /// Counts visits. The strategy to time the last of them in, or nil to leave it to the route untimed.
    /// - Parameter allowance: nanoseconds that the pool may spend on it.
    mutating func nextTrial(visits count: Int = 1, allowance: Double = .infinity) -> AllocationStrategy? {
        visits += count
        visitsUntilTrial -= count
        guard visitsUntilTrial <= 0 else { return nil }
        guard allowance >= dearest else {
            visitsUntilTrial = Self.unpaidInterval
            return nil
        }
        let other: AllocationStrategy = route == .standard ? .optimized : .standard
        // In turn, so that what the machine does meanwhile is in both.
        trials += 1
        if trials % 2 == 1 {
            visitsUntilTrial = 1
            return other
        }
        if standard.isSufficient && optimized.isSufficient {
            visitsUntilTrial = interval
            interval = min(2 * interval, Self.longestInterval)
        } else {
            visitsUntilTrial = 1
        }
        return route
    }

    /// Adds a timing, compares, and says whether the route changed.
    mutating func record(_ strategy: AllocationStrategy, _ cost: TrialCost, idlePrice: Double) -> Bool {
        dearest = max(trials <= 2 ? 0 : dearest, min(cost.spent, Self.dearestCharged))
        if strategy == .standard { standard.add(cost.nanoseconds) } else { optimized.add(cost.nanoseconds) }
        guard standard.isSufficient, optimized.isSufficient,
            let kept = optimized.median, let given = standard.median
        else { return false }
        comparisons += 1
        let better: AllocationStrategy = kept + idlePrice < given ? .optimized : .standard
        // What begins to look otherwise is looked at more often.
        if better != route { interval = Self.firstInterval }
        against = better == route ? 0 : against + 1
        guard against >= Self.hysteresis else { return false }
        route = better
        against = 0
        return true
    }

    /// Starts with what a calibration measured.
    mutating func seed(standard given: Double, optimized kept: Double, idlePrice: Double) {
        for _ in 0...4 {
            standard.add(given)
            optimized.add(kept)
        }
        comparisons += 1
        route = kept + idlePrice < given ? .optimized : .standard
    }
}
