/// How a pool keeps memory.
@frozen public enum AllocationStrategy: Int, CaseIterable, Sendable, Hashable, Codable {
    /// Keeps little: a small cache for tensors up to 32 KiB, everything else straight to arenas that decay.
    case standard
    /// Keeps everything warm: caches, a span heap on huge pages, prewarmed memory, nothing returned before a trim.
    case optimized
}

extension AllocationStrategy: CustomStringConvertible {
    /// The strategy's name, such as `optimized`.
    public var description: String {
        switch self {
        case .standard: "standard"
        case .optimized: "optimized"
        }
    }
}
