/// Why the system's malloc could not be measured.
enum SystemMallocHelperError: Error, Equatable {
    /// No helper stands beside the command.
    case missing(path: String)
    case cannotStart(path: String, reason: String)
    /// It ended or closed its output with a request unanswered.
    case died(status: Int32)
    case didNotAnswer(seconds: Int)
    /// The malloc to be preloaded into it is not installed.
    case notInstalled(PreloadedMalloc, folders: [String])
    /// Its malloc is not the one that was to be preloaded.
    case notPreloaded(PreloadedMalloc, library: String, found: String)
    /// It does not know what it is asked for.
    case isOfAnotherBuild
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
        case .notInstalled(let malloc, let folders):
            "\(malloc.rawValue) is not installed: no \(malloc.fileName) in \(folders.joined(separator: ", ")). "
                + "On Debian: apt-get install \(malloc.package)"
        case .notPreloaded(let malloc, let library, let found):
            "\(malloc.rawValue) (\(library)) could not be preloaded: malloc comes from \(found)"
        case .isOfAnotherBuild:
            "the helper that measures the system's malloc is of another build. Build the whole package: swift build"
        case .unexpectedReply(let reply):
            "the helper that measures the system's malloc gave an unexpected answer: \(reply)"
        case .failed(let reason):
            reason
        }
    }
}
