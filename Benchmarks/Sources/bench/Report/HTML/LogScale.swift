/// Maps numbers above 0 to places on a logarithmic axis.
struct LogScale {
    let low: Double
    let high: Double
    let start: Double
    let end: Double

    /// An axis from `start` to `end` with room for all values, and some beside them.
    init(_ values: some Sequence<Double>, start: Double, end: Double) {
        let known = values.filter { $0 > 0 }
        low = (known.min() ?? 0.5) / 1.15
        high = (known.max() ?? 2) * 1.15
        self.start = start
        self.end = end
    }

    func place(_ value: Double) -> Double {
        let share =
            (Logarithm.natural(value) - Logarithm.natural(low))
            / (Logarithm.natural(high) - Logarithm.natural(low))
        return start + share * (end - start)
    }

    /// Round numbers within.
    var ticks: [Double] {
        let steps = high / low > 1000 ? [1.0] : high / low > 12 ? [1, 2, 5] : [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7]
        var ticks: [Double] = []
        var decade = 1e-6
        while decade < 1e12 {
            ticks += steps.map { $0 * decade }.filter { $0 >= low && $0 <= high }
            decade *= 10
        }
        return ticks
    }
}
