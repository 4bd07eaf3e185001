/// How many bytes are live over a trace, in a bounded number of points.
public struct LiveCurve: Sendable, Equatable, Codable {
    /// The number of the event at which each point's stretch begins.
    public let firstEvents: [Int]
    /// The most bytes live within each stretch.
    public let peakBytes: [Int]
}

/// Doubles its stretches whenever there are too many: one pass, whatever the length.
struct LiveCurveCollector {
    private let maximumPoints: Int
    private var stretch = 1
    private var peaks: [Int] = []
    private var inLast = 0
    private(set) var liveBytes = 0

    /// - Parameter maximumPoints: even, at least 2.
    init(maximumPoints: Int) { self.maximumPoints = maximumPoints }

    mutating func observe(_ event: TraceEvent) {
        liveBytes += event.kind == .allocate ? event.byteCount : -event.byteCount
        if inLast == 0 {
            if peaks.count == maximumPoints {
                peaks = stride(from: 0, to: peaks.count, by: 2).map { max(peaks[$0], peaks[$0 + 1]) }
                stretch *= 2
            }
            peaks.append(liveBytes)
        } else {
            peaks[peaks.count - 1] = max(peaks[peaks.count - 1], liveBytes)
        }
        inLast = (inLast + 1) % stretch
    }

    var curve: LiveCurve {
        LiveCurve(firstEvents: peaks.indices.map { $0 * stretch }, peakBytes: peaks)
    }
}
