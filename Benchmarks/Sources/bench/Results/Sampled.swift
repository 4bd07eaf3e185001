import AllocationTrace

/// One figure, measured in several processes.
struct Sampled: Codable {
    /// One value a process, in the order they ran.
    var samples: [Double] = []

    /// The middle one; nil where there is none.
    var median: Double? { RoundStatistics(samples)?.median }

    /// The distance between the quartiles as a share of the median.
    var spread: Double? { samples.count > 2 ? RoundStatistics(samples)?.relativeSpread : nil }

    /// How this figure compares with another that was measured in turns with it: the median of the ratios of neighbours.
    func ratio(to other: Sampled) -> Double? {
        if samples.count == other.samples.count {
            return Sampled(samples: zip(samples, other.samples).filter { $1 > 0 }.map { $0 / $1 }).median
        }
        guard let median, let base = other.median, base > 0 else { return nil }
        return median / base
    }
}

extension Sequence<Double> {
    /// The geometric mean; nil where there is nothing, or nothing above 0.
    var geometricMean: Double? {
        let logarithms = filter { $0 > 0 }.map { Logarithm.natural($0) }
        guard !logarithms.isEmpty else { return nil }
        return Logarithm.exponential(logarithms.reduce(0, +) / Double(logarithms.count))
    }
}
