import Foundation
import Histogram

/// What a soak found, as JSON.
struct SoakReport: Codable {
    struct Latency: Codable {
        let p50Nanoseconds: UInt64
        let p99Nanoseconds: UInt64
        let p999Nanoseconds: UInt64

        init(_ histogram: Histogram<UInt64>) {
            p50Nanoseconds = histogram.valueAtPercentile(50)
            p99Nanoseconds = histogram.valueAtPercentile(99)
            p999Nanoseconds = histogram.valueAtPercentile(99.9)
        }
    }

    let minutes: Double
    let seed: UInt64
    let threads: Int
    let laps: Int
    let operations: Int
    let trims: Int
    let pressureEvents: Int
    /// What broke a promise; none is what is wanted.
    let faults: [String]
    /// Resident bytes with all tensors freed and all pools trimmed, at the end of the warm-up and at the end.
    let residentBytesAfterWarmUp: Int
    let residentBytesAtEnd: Int
    /// By least squares over the laps after the warm-up.
    let residentSlopeBytesPerHour: Double
    /// Of one allocation or free, in the first and the last quarter of the laps after the warm-up.
    let firstQuarter: Latency
    let lastQuarter: Latency
}

/// The slope of a straight line through points, by least squares.
func slope(_ points: [(x: Double, y: Double)]) -> Double {
    let count = Double(max(1, points.count))
    let (x, y) = points.reduce((0, 0)) { ($0.0 + $1.x / count, $0.1 + $1.y / count) }
    let (covariance, variance) = points.reduce((0, 0)) { sums, point in
        (sums.0 + (point.x - x) * (point.y - y), sums.1 + (point.x - x) * (point.x - x))
    }
    return variance > 0 ? covariance / variance : 0
}
