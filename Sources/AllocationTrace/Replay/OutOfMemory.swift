/// Malloc's only reason to refuse.
public struct OutOfMemory: Error, Equatable, Sendable, CustomStringConvertible {
    /// Makes the error.
    public init() {}

    /// The error in words.
    public var description: String { "out of memory" }
}
