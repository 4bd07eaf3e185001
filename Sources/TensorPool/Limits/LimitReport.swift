/// Whose limit it is that stands in the way.
public enum LimitScope: String, Sendable, Hashable, CaseIterable, Codable {
    /// ``HybridMemoryPool/Configuration/byteLimit``: all pools on the base together.
    case base
    /// The `byteLimit` of one pool's configuration.
    case pool
    /// The budget of a ``BudgetedAllocator``.
    case budget
}

/// What stands in the way of an allocation at a limit, with the figures and one piece of advice.
public struct LimitReport: Sendable, Hashable {
    /// Whose limit it is.
    public let scope: LimitScope
    /// Bytes asked for.
    public let requested: Int
    /// Bytes that would have had to be taken from the limit for them.
    public let needed: Int
    /// The limit in bytes.
    public let limit: Int
    /// Bytes taken from the limit: reserved ones, or live ones of a budget.
    public let reserved: Int
    /// Requested bytes of live tensors under the limit.
    public let live: Int
    /// Bytes that were freed and are kept.
    public let cached: Int
    /// What to do about it, given the configuration.
    public let advice: String
}

/// What is to be done when a limit was reached and nothing idle is left to give up.
public enum LimitResponse: Sendable, Hashable {
    /// Memory was freed, or will be shortly: try again.
    case retry
    /// Nothing can be done: the request fails with ``TensorPoolError/limitReached(_:)``.
    case fail
}
