import AllocationTrace

/// Which strategy is better at one size, and what the adaptive pool makes of it.
struct GapVerdict: Codable, Equatable {
    /// `equal` where the two lie within the regret that is allowed, or where the middle half of the rounds does not
    /// agree on which is faster.
    enum Winner: String, Codable {
        case standard
        case optimized
        case equal
    }

    /// What may lie between two strategies, or between the adaptive pool and the better one, without being called a
    /// difference: 5 % of the better one and 2 ns.
    static func allowance(_ nanoseconds: Double) -> Double { 0.05 * nanoseconds + 2 }

    let byteCount: Int
    let touch: Touch
    let winner: Winner
    /// How much longer a pair takes in the standard pool than in the optimized one, in percent of the optimized one:
    /// the guide's "optimized is so much faster". Negative where standard is faster. From the medians.
    let gapPercent: Double
    /// Nanoseconds that an adaptive pair takes beyond the better of standard and optimized: the median over the rounds
    /// of the difference within the round. Negative where adaptive was faster.
    let regretNanoseconds: Double
    /// The same in percent of the better one's median.
    let regretPercent: Double
    /// What is allowed for `regretNanoseconds`.
    let allowedRegretNanoseconds: Double

    /// Nil where one of the three was not measured.
    init?(_ rows: [PairComparison.Row], pair: PairMeasurement) {
        func row(_ subject: GapSubject) -> PairComparison.Row? {
            rows.first { $0.candidate == subject.rawValue && $0.pair == pair }
        }
        guard let standard = row(.standard), let optimized = row(.optimized), let adaptive = row(.adaptive) else {
            return nil
        }
        let better = standard.nanoseconds.median < optimized.nanoseconds.median ? standard : optimized
        // Within a round, since what a shared machine does to all of them at once is in neither difference.
        guard let regret = RoundStatistics(zip(adaptive.samples, better.samples).map(-)),
            let differences = RoundStatistics(zip(standard.samples, optimized.samples).map(-))
        else { return nil }
        byteCount = pair.byteCount
        touch = pair.touch
        let distance = standard.nanoseconds.median - optimized.nanoseconds.median
        let isWithinAllowance = distance.magnitude <= Self.allowance(better.nanoseconds.median)
        let isUndecided = differences.lowerQuartile <= 0 && differences.upperQuartile >= 0
        winner = isWithinAllowance || isUndecided ? .equal : distance > 0 ? .optimized : .standard
        gapPercent = 100 * distance / optimized.nanoseconds.median
        regretNanoseconds = regret.median
        regretPercent = 100 * regret.median / better.nanoseconds.median
        allowedRegretNanoseconds = Self.allowance(better.nanoseconds.median)
    }
}

/// Where the better strategy changes.
struct GapCrossover: Codable, Equatable {
    let touch: Touch
    /// The smallest measured size at which optimized wins, with standard winning at none that is larger; nil where
    /// there is no such size.
    let optimizedFromBytes: Int?
    /// The largest measured size below that; nil where there is none.
    let notAtBytes: Int?

    /// - Parameter verdicts: of one touch, by size.
    init(_ verdicts: [GapVerdict], touch: Touch) {
        let ordered = verdicts.filter { $0.touch == touch }.sorted { $0.byteCount < $1.byteCount }
        let notLost = ordered.reversed().prefix { $0.winner != .standard }
        let from = notLost.last { $0.winner == .optimized }?.byteCount
        self.touch = touch
        optimizedFromBytes = from
        notAtBytes = from.flatMap { from in ordered.last { $0.byteCount < from }?.byteCount }
    }
}
