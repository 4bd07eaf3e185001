/// What is kept of each event beside the 16 bytes that a replay needs: 8 bytes an event each.
public struct TraceDetails: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt8

    /// Details by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ``AllocationTrace/times``.
    public static let times = TraceDetails(rawValue: 1)
    /// ``AllocationTrace/addresses``.
    public static let addresses = TraceDetails(rawValue: 2)
    /// ``AllocationTrace/tensorIDs``, which take memory only where the file has them.
    public static let tensorIDs = TraceDetails(rawValue: 4)
    /// Everything.
    public static let all: TraceDetails = [.times, .addresses, .tensorIDs]
}
