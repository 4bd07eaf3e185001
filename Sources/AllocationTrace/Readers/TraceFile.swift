/// A trace file of any known format, read.
public struct TraceFile: Sendable {
    /// What is read of a file, and how much at the most.
    public struct Options: Sendable {
        /// 33,554,432 (2^25): 512 MiB of events.
        public static let defaultMaximumEvents = 1 << 25

        /// The most events that are read.
        public var maximumEvents: Int
        /// What is kept of each event beside what a replay needs.
        public var details: TraceDetails
        /// Of which kind of device memory events are read, by PyTorch's number: 0 is the CPU, 1 CUDA. Only Chrome
        /// traces have others.
        public var deviceType: Int
        /// Whether ``TraceFile/problem`` is kept.
        package var keepsProblem = false
        /// Bytes that are held of the file at a time. Binary traces need the default; text with short lines does not.
        package var bufferByteCount = TraceInput.bufferSize

        /// By default everything, of the CPU.
        public init(
            maximumEvents: Int = Self.defaultMaximumEvents, details: TraceDetails = .all, deviceType: Int = 0
        ) {
            self.maximumEvents = maximumEvents
            self.details = details
            self.deviceType = deviceType
        }
    }

    /// The path as it was given.
    public let path: String
    /// The format that the content has.
    public let format: TraceFormat
    /// What was recorded.
    public let trace: AllocationTrace
    /// Where it was recorded; nil where the file does not say.
    public let machine: TraceMachine?
    /// The planning problem as it was written, with its ids and in the order of its rows; nil where the file is none, or
    /// where it was not to be kept.
    package let problem: PlanningProblem?

    /// Reads a whole file, plain or gzip, whatever its name.
    ///
    /// Cost: in time about 0.3 microseconds an event, and of a PyTorch profile 4 nanoseconds a byte (2.3 GHz server
    /// core). In memory what ``AllocationTrace`` has, and while a format is read that may have its events out of order,
    /// 10 to 20 bytes an event more.
    /// - Parameters:
    ///   - path: the file; `-` for standard input.
    ///   - format: what the file has to be; nil to find out by its content.
    ///   - report: told how far reading is, after every 8 MiB of content.
    public static func read(
        _ path: String, options: Options = Options(), format: TraceFormat? = nil,
        report: ((TraceReadProgress) -> Void)? = nil
    ) throws(TraceReadError) -> TraceFile {
        var builder = AllocationTraceBuilder(maximumEvents: options.maximumEvents, details: options.details)
        var session = TraceReadSession(path: path, options: options)
        do throws(TraceReadError.Problem) {
            let input = try TraceInput(path: path, bufferSize: options.bufferByteCount, report: report)
            try session.read(input, format: format, into: &builder)
        } catch {
            throw TraceReadError(
                file: path, position: session.position, eventCount: max(session.eventCount, builder.eventCount),
                problem: error)
        }
        return TraceFile(
            path: path, format: session.format, trace: builder.finish(), machine: session.machine,
            problem: session.problem)
    }
}

/// The reading of one file: what is known of it so far.
private struct TraceReadSession {
    let path: String
    let options: TraceFile.Options
    var format = TraceFormat.rmm
    var machine: TraceMachine?
    var problem: PlanningProblem?
    var position = TraceReadError.Position.start
    /// Events that were read and are not in the builder yet.
    var eventCount = 0

    init(path: String, options: TraceFile.Options) {
        self.path = path
        self.options = options
    }

    mutating func read(
        _ source: consuming TraceInput, format wanted: TraceFormat?, into builder: inout AllocationTraceBuilder
    ) throws(TraceReadError.Problem) {
        var input = source
        try input.start()
        guard let format = wanted ?? TraceFormat(content: input.unreadSpan) else {
            let found = input.unreadSpan.quoted(limit: 40)
            throw .unknownFormat(
                found: input.isTruncated ? "\(found), and is cut off within its compressed data" : found)
        }
        self.format = format
        switch format {
        case .rmm:
            defer { position = .line(input.lineNumber) }
            try RMMTraceReader.read(from: &input, into: &builder)
        case .minimalloc:
            defer { position = .line(input.lineNumber) }
            let maximumItems = min(options.maximumEvents / 2, PlanningProblem.defaultMaximumItems)
            var itemCount = 0
            defer { eventCount = 2 * itemCount }
            let problem = try PlanningProblem(from: &input, maximumItems: maximumItems, itemCount: &itemCount)
            if options.keepsProblem { self.problem = problem }
            do throws(AllocationTraceBuilder.LimitExceeded) {
                try builder.append(problem)
            } catch {
                throw .limitExceeded(error)
            }
        case .tptrace:
            defer { position = .byte(input.offset) }
            machine = try BinaryTraceReader.read(from: &input, into: &builder, eventCount: &eventCount).machine
        case .chrome:
            var scanner = JSONScanner(input)
            defer { position = .byte(scanner.input.offset) }
            try ChromeTraceReader.read(
                from: &scanner, deviceType: options.deviceType, into: &builder, eventCount: &eventCount)
        }
    }
}
