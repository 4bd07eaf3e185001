/// Reads the CSV that RAPIDS RMM's `logging_resource_adaptor` writes, plain or gzip.
///
/// The file is streamed: beside the events (16 bytes each) and the blocks alive, memory use does not depend on it.
/// What a real log may hold besides a legal history is counted in ``AllocationTrace/irregularities`` and survived;
/// anything else is a ``TraceReadError``.
public struct RMMTraceReader: Sendable {
    /// The most events that are read: by default 33,554,432 (2^25), 512 MiB of events.
    public var maximumEvents: Int

    /// A reader that refuses files with more than `maximumEvents` events.
    public init(maximumEvents: Int = 1 << 25) {
        self.maximumEvents = maximumEvents
    }

    /// Reads a whole file. Cost: about 0.3 microseconds an event on a 2.3 GHz server core.
    public func read(path: String) throws(TraceReadError) -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: maximumEvents)
        var line = 0
        do throws(TraceReadError.Problem) {
            var lines = try CompressedLines(path: path)
            defer { line = lines.lineNumber }
            try Self.readHeader(from: &lines)
            try Self.readRows(from: &lines, into: &builder)
        } catch {
            throw TraceReadError(file: path, line: line, eventCount: builder.eventCount, problem: error)
        }
        return builder.finish()
    }

    private static func readHeader(from lines: inout CompressedLines) throws(TraceReadError.Problem) {
        let expected = "the header \(RMMRow.header)"
        guard let line = try lines.next() else {
            throw .malformed(expected: expected, found: "the end of the file")
        }
        let bytes = lines.buffer.span.extracting(line.bytes)
        guard bytes.isEqual(to: RMMRow.header) else {
            throw .malformed(expected: expected, found: bytes.quoted())
        }
    }

    private static func readRows(
        from lines: inout CompressedLines, into builder: inout AllocationTraceBuilder
    ) throws(TraceReadError.Problem) {
        while let line = try lines.next() {
            // Cut within compressed data, the last line may end within a number and still look like a row.
            if lines.isTruncated && !line.isComplete { break }
            let bytes = lines.buffer.span.extracting(line.bytes)
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
            do throws(AllocationTraceBuilder.LimitExceeded) {
                try add(row, to: &builder)
            } catch {
                throw .limitExceeded(error)
            }
        }
        if lines.isTruncated { builder.irregularities.isTruncated = true }
    }

    private static func add(
        _ row: RMMRow, to builder: inout AllocationTraceBuilder
    ) throws(AllocationTraceBuilder.LimitExceeded) {
        switch row.action {
        case .allocate: try builder.allocate(address: row.address, byteCount: row.byteCount, thread: row.thread)
        case .free: try builder.free(address: row.address, byteCount: row.byteCount, thread: row.thread)
        case .allocateFailure: builder.irregularities.failedAllocations += 1
        }
    }
}
