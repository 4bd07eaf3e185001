/// Malloc's only reason to refuse.
public struct OutOfMemory: Error, Equatable, Sendable, CustomStringConvertible {
    public init() {}

    public var description: String { "out of memory" }
}
