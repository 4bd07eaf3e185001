/// Why a trace file could not be read: where, what was expected, and how much had been read up to there.
public struct TraceReadError: Error, Equatable, Sendable {
    /// What can go wrong.
    public enum Problem: Error, Equatable, Sendable {
        /// The system refuses to open the file.
        case cannotOpen(reason: String)
        /// The system or the decompressor fails within the file.
        case cannotRead(reason: String)
        case malformed(expected: String, found: String)
        /// The file is none of those that are known. `found` is how it starts.
        case unknownFormat(found: String)
        /// A binary trace of a later version than this library knows.
        case unsupportedVersion(found: Int, newestKnown: Int)
        case limitExceeded(AllocationTraceBuilder.LimitExceeded)
    }

    /// Where in the content (decompressed, where the file is gzip) the problem is.
    public enum Position: Equatable, Sendable {
        /// Nothing was read.
        case start
        /// From 1.
        case line(Int)
        /// The offset in bytes, from 0.
        case byte(Int)
    }

    /// The file's path as it was given.
    public let file: String
    /// Where the problem is.
    public let position: Position
    /// The events read before the problem.
    public let eventCount: Int
    /// What went wrong.
    public let problem: Problem

    /// The line of the problem, from 1; 0 where the file has no lines or none was read.
    public var line: Int { if case .line(let line) = position { line } else { 0 } }
}

extension TraceReadError: CustomStringConvertible {
    /// The file, the place, what went wrong, and what was read up to there.
    public var description: String {
        switch problem {
        case .cannotOpen(let reason):
            "\(name): cannot open the trace: \(reason)"
        case .cannotRead(let reason):
            "\(name): cannot read on\(after): \(reason)\(progress)"
        case .malformed(let expected, let found):
            "\(place): expected \(expected), found \(found)\(progress)"
        case .unknownFormat(let found):
            "\(name): no trace of a known format: expected \(TraceFormat.descriptionOfAll); the file starts with \(found)"
        case .unsupportedVersion(let found, let newest):
            "\(name): a binary trace of version \(found), and the newest known here is \(newest): "
                + "read it with the version of tensor-pool that wrote it, or a later one"
        case .limitExceeded(.events(let limit)):
            "\(place): the trace has more than \(limit) events, the most that are read"
        case .limitExceeded(.threads(let limit)):
            "\(place): the trace has more than \(limit) threads, the most that are told apart\(progress)"
        case .limitExceeded(.liveBytes(let limit)):
            "\(place): more than \(limit) bytes are live at one time, which no machine can hold\(progress)"
        }
    }

    private var name: String { file == TraceInput.standardInputPath ? "standard input" : file }

    private var place: String {
        switch position {
        case .start: name
        case .line(let line): "\(name):\(line)"
        case .byte(let offset): "\(name): at byte \(offset)"
        }
    }

    private var after: String {
        switch position {
        case .start: ""
        case .line(let line): " after line \(line)"
        case .byte(let offset): " after byte \(offset)"
        }
    }

    private var progress: String { eventCount == 0 ? "" : " (\(eventCount) events read before it)" }
}
