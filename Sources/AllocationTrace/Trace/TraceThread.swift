/// A thread of the recorded program.
public struct TraceThread: Sendable, Equatable, Codable {
    /// As the file has it, such as the system's thread id. Where the file has only a text, a number from 2^63 up that
    /// is the same for the same text.
    public let id: UInt64
    /// As the file has it; nil where it has none.
    public let name: String?

    /// A thread by its number and, where known, its name.
    public init(id: UInt64, name: String? = nil) {
        self.id = id
        self.name = name
    }
}
