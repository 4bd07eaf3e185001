/// How short of memory the system is.
public enum MemoryPressureLevel: Int, Sendable, Hashable, Comparable, CaseIterable, Codable {
    /// There is enough.
    case none
    /// Getting less.
    case low
    /// Noticeable: caches are better smaller.
    case moderate
    /// Processes begin to wait for memory.
    case high
    /// Processes are about to be killed for it.
    case critical

    /// Orders levels by urgency.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
