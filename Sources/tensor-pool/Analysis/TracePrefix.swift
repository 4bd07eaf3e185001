import AllocationTrace

/// The beginning of a trace, as long as replaying it stays within a bound.
struct TracePrefix {
    /// The whole trace where it fits.
    let trace: AllocationTrace
    /// How many events the whole has.
    let wholeEventCount: Int

    var isWhole: Bool { trace.events.count == wholeEventCount }

    /// Cuts where a step begins if one does in the last three quarters of what fits. Where not even the first whole
    /// step fits, it is taken if it has at most four times what may be allocated: part of a step is no measure.
    /// - Parameters:
    ///   - maximumBytes: what may be allocated in all: a replay touches it.
    ///   - boundaries: the events at which steps begin.
    init(_ whole: AllocationTrace, maximumBytes: Int, maximumEvents: Int, boundaries: [Int]) throws {
        wholeEventCount = whole.events.count
        var end = 0
        var left = maximumBytes
        for event in whole.events {
            guard end < maximumEvents else { break }
            if event.kind == .allocate {
                // One allocation at least, however large.
                guard event.byteCount <= left || end == 0 else { break }
                left -= event.byteCount
            }
            end += 1
        }
        guard end < whole.events.count else {
            trace = whole
            return
        }
        if let boundary = boundaries.last(where: { $0 <= end }), boundary > end / 4, boundary != boundaries.first {
            end = boundary
        } else if boundaries.count > 1, boundaries[1] > end, boundaries[1] <= maximumEvents,
            Self.allocatedBytes(whole.events[..<boundaries[1]]) / 4 <= maximumBytes
        {
            end = boundaries[1]
        }
        var builder = AllocationTraceBuilder(maximumEvents: end, details: [])
        for event in whole.events[..<end] {
            // A slot tells live blocks apart, as an address does.
            let address = UInt64(event.slot) + 1
            switch event.kind {
            case .allocate:
                try builder.allocate(address: address, byteCount: event.byteCount, thread: UInt64(event.thread))
            case .free: try builder.free(address: address, byteCount: nil, thread: UInt64(event.thread))
            }
        }
        trace = builder.finish()
    }

    /// `Int.max` where it does not fit.
    private static func allocatedBytes(_ events: ArraySlice<TraceEvent>) -> Int {
        events.reduce(0) { sum, event in
            let (next, overflow) = sum.addingReportingOverflow(event.kind == .allocate ? event.byteCount : 0)
            return overflow ? .max : next
        }
    }
}
