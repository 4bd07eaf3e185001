/// Why a trace file could not be read: where, what was expected, and how much had been read up to there.
public struct TraceReadError: Error, Equatable, Sendable {
    /// What can go wrong.
    public enum Problem: Error, Equatable, Sendable {
        /// The system refuses to open the file.
        case cannotOpen(reason: String)
        /// The system or the decompressor fails within the file.
        case cannotRead(reason: String)
        case malformed(expected: String, found: String)
        case limitExceeded(AllocationTraceBuilder.LimitExceeded)
    }

    /// The file's path as it was given.
    public let file: String
    /// From 1; 0 where no line was read.
    public let line: Int
    /// The events read before the problem.
    public let eventCount: Int
    /// What went wrong.
    public let problem: Problem
}

extension TraceReadError: CustomStringConvertible {
    /// The file, the line, what went wrong, and what was read up to there.
    public var description: String {
        switch problem {
        case .cannotOpen(let reason):
            "\(file): cannot open the trace: \(reason)"
        case .cannotRead(let reason):
            "\(file): cannot read on after line \(line): \(reason)\(progress)"
        case .malformed(let expected, let found):
            "\(file):\(line): expected \(expected), found \(found)\(progress)"
        case .limitExceeded(.events(let limit)):
            "\(file):\(line): the trace has more than \(limit) events, the most that are read"
        case .limitExceeded(.threads(let limit)):
            "\(file):\(line): the trace has more than \(limit) threads, the most that are told apart\(progress)"
        case .limitExceeded(.liveBytes(let limit)):
            "\(file):\(line): more than \(limit) bytes are live at one time, which no machine can hold\(progress)"
        }
    }

    private var progress: String { eventCount == 0 ? "" : " (\(eventCount) events read before it)" }
}
