import AllocationTrace

/// The beginning of a trace, as long as replaying it stays within a bound.
struct TracePrefix {
    /// The whole trace where it fits.
    let trace: AllocationTrace
    /// How many events the whole has.
    let wholeEventCount: Int

    var isWhole: Bool { trace.events.count == wholeEventCount }

    /// Cuts where a step begins if one does in the last three quarters of what fits.
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
        if let boundary = boundaries.last(where: { $0 <= end }), boundary > end / 4 { end = boundary }
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
}
