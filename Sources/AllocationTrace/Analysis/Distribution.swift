internal import Histogram

/// How values above or at 0 are spread. Percentiles come from an HdrHistogram of three digits: at most 0.1 % above the
/// value, exact up to 2,047.
public struct Distribution: Sendable, Equatable, Codable {
    /// Values of one power of two.
    public struct Bucket: Sendable, Equatable, Codable {
        /// The smallest value that belongs here: 0, 1, 2, 4, 8, ...
        public let lowest: UInt64
        /// How many values there were.
        public let count: Int
    }

    /// How many values there were.
    public let count: Int
    /// The smallest.
    public let minimum: UInt64
    /// Half of the values are at or below.
    public let p50: UInt64
    /// 90 % of the values are at or below.
    public let p90: UInt64
    /// 99 % of the values are at or below.
    public let p99: UInt64
    /// The largest.
    public let maximum: UInt64
    /// By powers of two, from the lowest bucket that has values to the highest.
    public let buckets: [Bucket]
}

/// Collects values for a ``Distribution``. Memory: up to half a mebibyte, however many values there are.
struct DistributionCollector {
    private var histogram = Histogram<UInt32>(numberOfSignificantValueDigits: .three)
    private var buckets = [Int](repeating: 0, count: 65)
    private var minimum = UInt64.max
    private var maximum: UInt64 = 0
    private var count = 0

    /// The histogram takes no larger value: some 146 years in nanoseconds.
    private static let largest = UInt64(1) << 62

    mutating func record(_ value: UInt64) {
        let value = min(value, Self.largest)
        // It resizes itself, so no value in range is refused.
        _ = histogram.record(value)
        buckets[UInt64.bitWidth - value.leadingZeroBitCount] += 1
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        count += 1
    }

    /// Nil where nothing was recorded.
    var distribution: Distribution? {
        guard count > 0, let first = buckets.firstIndex(where: { $0 > 0 }),
            let last = buckets.lastIndex(where: { $0 > 0 })
        else { return nil }
        func percentile(_ share: Double) -> UInt64 {
            min(max(histogram.valueAtPercentile(share), minimum), maximum)
        }
        return Distribution(
            count: count, minimum: minimum, p50: percentile(50), p90: percentile(90), p99: percentile(99),
            maximum: maximum,
            buckets: (first...last).map { .init(lowest: $0 == 0 ? 0 : 1 << ($0 - 1), count: buckets[$0]) })
    }
}
