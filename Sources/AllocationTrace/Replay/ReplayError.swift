/// Why a replay or a pair measurement stopped.
public enum ReplayError: Error, Equatable, Sendable {
    /// The allocator refused. `event` counts from 0: the trace's event, or the pair.
    case allocationFailed(event: Int, byteCount: Int, reason: String)
    /// The allocator refused to take a block back that it had handed out.
    case deallocationFailed(event: Int, byteCount: Int, reason: String)
    /// Writing to all that the trace has live would take more memory than the machine has left.
    case exceedsMemory(neededBytes: Int, availableBytes: Int)
}

extension ReplayError: CustomStringConvertible {
    /// What happened, and at which event.
    public var description: String {
        switch self {
        case .allocationFailed(let event, let byteCount, let reason):
            "allocating \(byteCount) bytes failed at event \(event): \(reason)"
        case .deallocationFailed(let event, let byteCount, let reason):
            "giving \(byteCount) bytes back failed at event \(event): \(reason)"
        case .exceedsMemory(let needed, let available):
            "the trace has \(needed) bytes live at its peak, and only \(available) are available to write to; "
                + "replay it without touching the memory"
        }
    }
}
