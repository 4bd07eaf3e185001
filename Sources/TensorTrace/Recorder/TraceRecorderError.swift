public import AllocationTrace

/// Why a recording could not start or did not get all into its file. The pool is not affected.
public enum TraceRecorderError: Error, Sendable, Hashable {
    /// The file could not be opened, or not be written to.
    case cannotWrite(TraceWriteError)
    /// A setting out of its range.
    case invalidConfiguration(setting: String, value: String, reason: String)
    /// The system refused the thread that writes.
    case noThread
    /// The process is a forked child: its parent's recordings are not its own, and it cannot have any.
    case forkedChild
}

extension TraceRecorderError: CustomStringConvertible {
    /// What happened, the values involved, and what to do.
    public var description: String {
        switch self {
        case .cannotWrite(let error): error.description
        case .invalidConfiguration(let setting, let value, let reason): "\(setting) = \(value) cannot be: \(reason)"
        case .noThread: "the system refused a thread for the recorder: end some, or raise the process's limit"
        case .forkedChild: "a forked child cannot record: record in the parent, or start a program of its own"
        }
    }
}

/// What became of a recording.
public struct TraceRecorderResult: Sendable, Hashable {
    /// Events in the file.
    public let writtenEventCount: Int
    /// Events that could not be kept.
    public let droppedEventCount: Int
}
