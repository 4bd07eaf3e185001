internal import Histogram

/// How long events took, in nanoseconds. Percentiles come from an HdrHistogram of three digits: at most 0.1 % above the
/// value, exact up to 2,047.
public struct LatencyFigures: Codable, Equatable, Sendable {
    /// How many events there were.
    public let count: Int
    /// The average.
    public let mean: Double
    /// Half of the events took no longer.
    public let p50: UInt64
    /// 90 % of the events took no longer.
    public let p90: UInt64
    /// 99 % of the events took no longer.
    public let p99: UInt64
    /// 99.9 % of the events took no longer.
    public let p999: UInt64
    /// The longest.
    public let maximum: UInt64
}

/// What a replay found out about single events, with the clock read before and after each.
public struct LatencyReport: Codable, Equatable, Sendable {
    /// Rounds that were clocked.
    public let rounds: Int
    /// What two readings of the clock lie apart, in nanoseconds. It has been taken off every latency.
    public let clockNanoseconds: UInt64
    /// Allocations and frees together; nil where there was none.
    public let events: LatencyFigures?
    /// Allocations, with what is written to the memory.
    public let allocations: LatencyFigures?
    /// Frees.
    public let frees: LatencyFigures?
    /// How much later than it was due each event began; nil where there is no pace.
    public let lateness: LatencyFigures?
}

/// Collects the latencies of one thread. Memory: 540 KiB, however many events there are.
@usableFromInline final class LatencyRecorder {
    private var allocations = LatencyCollector()
    private var frees = LatencyCollector()
    private var lateness = LatencyCollector()
    private let clockNanoseconds: UInt64

    /// - Parameter clockNanoseconds: is taken off every latency.
    init(clockNanoseconds: UInt64) {
        self.clockNanoseconds = clockNanoseconds
    }

    @usableFromInline func recordAllocation(_ nanoseconds: UInt64) {
        allocations.record(nanoseconds - min(nanoseconds, clockNanoseconds))
    }

    @usableFromInline func recordFree(_ nanoseconds: UInt64) {
        frees.record(nanoseconds - min(nanoseconds, clockNanoseconds))
    }

    func recordLateness(_ nanoseconds: UInt64) { lateness.record(nanoseconds) }

    /// The sum of all latencies.
    var busyNanoseconds: UInt64 { allocations.sum + frees.sum }

    static func report(_ recorders: [LatencyRecorder], rounds: Int, clockNanoseconds: UInt64) -> LatencyReport {
        var (allocations, frees, lateness) = (LatencyCollector(), LatencyCollector(), LatencyCollector())
        for recorder in recorders {
            allocations.add(recorder.allocations)
            frees.add(recorder.frees)
            lateness.add(recorder.lateness)
        }
        var events = allocations
        events.add(frees)
        return LatencyReport(
            rounds: rounds, clockNanoseconds: clockNanoseconds, events: events.figures,
            allocations: allocations.figures, frees: frees.figures, lateness: lateness.figures)
    }
}

/// A histogram that does not grow, with what it does not keep exactly.
private struct LatencyCollector {
    /// Nothing longer is told apart: more than an hour in nanoseconds.
    private static let largest = UInt64(1) << 42

    private var histogram = Histogram<UInt32>(highestTrackableValue: largest, numberOfSignificantValueDigits: .three)
    private var maximum: UInt64 = 0
    private(set) var sum: UInt64 = 0

    mutating func record(_ nanoseconds: UInt64) {
        let value = min(nanoseconds, Self.largest)
        _ = histogram.record(value)
        maximum = max(maximum, value)
        // 2^42 for each of at most 2^32 events and many rounds may not fit.
        let (next, overflow) = sum.addingReportingOverflow(value)
        sum = overflow ? .max : next
    }

    mutating func add(_ other: LatencyCollector) {
        histogram.add(other.histogram)
        maximum = max(maximum, other.maximum)
        let (next, overflow) = sum.addingReportingOverflow(other.sum)
        sum = overflow ? .max : next
    }

    /// Nil where nothing was recorded.
    var figures: LatencyFigures? {
        guard histogram.totalCount > 0 else { return nil }
        func percentile(_ share: Double) -> UInt64 { min(histogram.valueAtPercentile(share), maximum) }
        return LatencyFigures(
            count: Int(histogram.totalCount), mean: Double(sum) / Double(histogram.totalCount), p50: percentile(50),
            p90: percentile(90), p99: percentile(99), p999: percentile(99.9), maximum: maximum)
    }
}
