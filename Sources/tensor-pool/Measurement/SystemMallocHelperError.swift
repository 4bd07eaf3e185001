/// Why the system's malloc could not be measured.
enum SystemMallocHelperError: Error, Equatable {
    /// No helper stands beside the command.
    case missing(path: String)
    case cannotStart(path: String, reason: String)
    /// It ended or closed its output with a request unanswered.
    case died(status: Int32)
    case didNotAnswer(seconds: Int)
    /// It answered something else than what was asked.
    case unexpectedReply(String)
    /// It could not carry the request out.
    case failed(reason: String)
}

extension SystemMallocHelperError: CustomStringConvertible {
    var description: String {
        switch self {
        case .missing(let path):
            "the helper that measures the system's malloc is missing: \(path). Build the whole package: swift build"
        case .cannotStart(let path, let reason):
            "the helper \(path) does not start: \(reason)"
        case .died(let status):
            "the helper that measures the system's malloc died (status \(status))"
        case .didNotAnswer(let seconds):
            "the helper that measures the system's malloc did not answer within \(seconds) seconds"
        case .unexpectedReply(let reply):
            "the helper that measures the system's malloc gave an unexpected answer: \(reply)"
        case .failed(let reason):
            reason
        }
    }
}
