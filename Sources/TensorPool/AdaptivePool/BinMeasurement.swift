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
    /// How many visits of the slow path lie between two tries of the other strategy.
    static let explorationInterval = 64
    /// How many visits lie between two timings of the current one.
    static let samplingInterval = 8

    private(set) var route: AllocationStrategy = .standard
    private(set) var visits = 0
    private(set) var standard = Window()
    private(set) var optimized = Window()
    private var against = 0
    /// Comparisons made.
    private(set) var comparisons = 0

    func window(_ strategy: AllocationStrategy) -> Window { strategy == .standard ? standard : optimized }

    /// Counts a visit. The strategy to time this allocation in, or nil to leave it to the route untimed.
    mutating func nextTrial(minimumUses: Int) -> AllocationStrategy? {
        visits += 1
        guard visits > minimumUses else { return nil }
        let other: AllocationStrategy = route == .standard ? .optimized : .standard
        if !window(route).isSufficient || !window(other).isSufficient {
            // Both windows fill in turn, so that what the machine does meanwhile is in both.
            return visits % 2 == 0 ? route : other
        }
        if visits % Self.explorationInterval == 0 { return other }
        return visits % Self.samplingInterval == 0 ? route : nil
    }

    /// Adds a timing, compares, and says whether the route changed.
    mutating func record(_ strategy: AllocationStrategy, nanoseconds: Double, idlePrice: Double) -> Bool {
        if strategy == .standard { standard.add(nanoseconds) } else { optimized.add(nanoseconds) }
        guard standard.isSufficient, optimized.isSufficient,
            let kept = optimized.median, let given = standard.median
        else { return false }
        comparisons += 1
        let better: AllocationStrategy = kept + idlePrice < given ? .optimized : .standard
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
