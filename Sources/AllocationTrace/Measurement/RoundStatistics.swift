/// The middle and the spread of one figure over several rounds, in the figure's own unit.
public struct RoundStatistics: Codable, Equatable, Sendable {
    /// How many rounds there were.
    public let rounds: Int
    /// The lowest value.
    public let minimum: Double
    /// A quarter of the rounds lie at or below.
    public let lowerQuartile: Double
    /// Half of the rounds lie at or below.
    public let median: Double
    /// Three quarters of the rounds lie at or below.
    public let upperQuartile: Double
    /// The highest value.
    public let maximum: Double

    /// Nil where there is no round. Quartiles between two rounds are interpolated linearly.
    public init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        func quantile(_ share: Double) -> Double {
            let position = share * Double(sorted.count - 1)
            let below = Int(position)
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
        }
        rounds = sorted.count
        minimum = sorted[0]
        lowerQuartile = quantile(0.25)
        median = quantile(0.5)
        upperQuartile = quantile(0.75)
        maximum = sorted[sorted.count - 1]
    }

    /// The distance between the quartiles as a share of the median: 0.1 means that half the rounds lie within 10 %.
    /// 0 where the median is 0.
    public var relativeSpread: Double {
        median == 0 ? 0 : (upperQuartile - lowerQuartile) / median
    }
}
