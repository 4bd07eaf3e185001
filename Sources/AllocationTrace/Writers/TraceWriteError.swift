/// Why a trace could not be written. Where it was to replace a file, that file is as it was.
public struct TraceWriteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path as it was given.
    public let file: String
    /// What the system says.
    public let reason: String

    /// The file and the reason.
    public var description: String {
        "\(file == TraceOutput.standardOutputPath ? "standard output" : file): cannot write the trace: \(reason)"
    }
}
