/// Reads the CSV that RAPIDS RMM's `logging_resource_adaptor` writes, plain or gzip.
///
/// The file is streamed: beside the events and the blocks alive, memory use does not depend on it.
/// What a real log may hold besides a legal history is counted in ``AllocationTrace/irregularities`` and survived;
/// anything else is a ``TraceReadError``.
public struct RMMTraceReader: Sendable {
    /// The most events that are read.
    public var maximumEvents: Int
    /// What is kept of each event beside what a replay needs.
    public var details: TraceDetails

    /// A reader that refuses files with more than `maximumEvents` events: by default 33,554,432 (2^25).
    public init(maximumEvents: Int = TraceFile.Options.defaultMaximumEvents, details: TraceDetails = .all) {
        self.maximumEvents = maximumEvents
        self.details = details
    }

    /// Reads a whole file. Cost: about 0.3 microseconds an event on a 2.3 GHz server core.
    public func read(path: String) throws(TraceReadError) -> AllocationTrace {
        let options = TraceFile.Options(maximumEvents: maximumEvents, details: details)
        return try TraceFile.read(path, options: options, format: .rmm).trace
    }

    static func read(
        from input: inout TraceInput, into builder: inout AllocationTraceBuilder
    ) throws(TraceReadError.Problem) {
        builder.epoch = .midnight
        try readHeader(from: &input)
        try readRows(from: &input, into: &builder)
    }

    private static func readHeader(from input: inout TraceInput) throws(TraceReadError.Problem) {
        let expected = "the header \(RMMRow.header)"
        guard let line = try input.nextLine() else {
            throw .malformed(expected: expected, found: "the end of the file")
        }
        let bytes = input.buffer.span.extracting(line.bytes)
        guard bytes.isEqual(to: RMMRow.header) else {
            throw .malformed(expected: expected, found: bytes.quoted())
        }
    }

    private static func readRows(
        from input: inout TraceInput, into builder: inout AllocationTraceBuilder
    ) throws(TraceReadError.Problem) {
        var clock = RMMClock()
        while let line = try input.nextLine() {
            // Cut within compressed data, the last line may end within a number and still look like a row.
            if input.isTruncated && !line.isComplete { break }
            let bytes = input.buffer.span.extracting(line.bytes)
            if bytes.isEmpty { continue }
            let row: RMMRow
            do throws(RMMRow.Problem) {
                row = try RMMRow(parsing: bytes)
            } catch {
                if error.isIncomplete && !line.isComplete {
                    builder.irregularities.isTruncated = true
                    break
                }
                throw .malformed(expected: error.expected, found: bytes.extracting(error.found).quoted())
            }
            let time = clock.nanoseconds(of: row.time)
            if time == nil { builder.irregularities.unreadableTimes += 1 }
            do throws(AllocationTraceBuilder.LimitExceeded) {
                try add(row, at: time, to: &builder)
            } catch {
                throw .limitExceeded(error)
            }
        }
        if clock.countsFromStart { builder.epoch = .recording }
        if input.isTruncated { builder.irregularities.isTruncated = true }
    }

    private static func add(
        _ row: RMMRow, at time: Int64?, to builder: inout AllocationTraceBuilder
    ) throws(AllocationTraceBuilder.LimitExceeded) {
        switch row.action {
        case .allocate:
            try builder.allocate(address: row.address, byteCount: row.byteCount, thread: row.thread, time: time)
        case .free: try builder.free(address: row.address, byteCount: row.byteCount, thread: row.thread, time: time)
        case .allocateFailure: builder.irregularities.failedAllocations += 1
        }
    }
}
