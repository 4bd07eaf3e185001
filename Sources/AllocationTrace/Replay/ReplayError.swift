/// Why a replay or a pair measurement stopped, or did not begin.
public enum ReplayError: Error, Equatable, Sendable {
    /// The allocator refused. `event` counts from 0: the trace's event, or the pair.
    case allocationFailed(event: Int, byteCount: Int, reason: String)
    /// The allocator refused to take a block back that it had handed out.
    case deallocationFailed(event: Int, byteCount: Int, reason: String)
    /// Writing to all that the trace has live would take more memory than the machine has left.
    case exceedsMemory(neededBytes: Int, availableBytes: Int)
    /// Threads that run ahead of each other may have more alive than the machine has left.
    case mayExceedMemory(boundBytes: Int, availableBytes: Int)
    /// A recorded pace is asked for, and the trace has no times.
    case noTimes
    /// A speed is above 0 and finite.
    case speedOutOfRange(Double)
    /// A round at the pace asked for would take longer than ``ReplayMode/maximumRoundSeconds``.
    case tooSlow(roundSeconds: Double, neededSpeed: Double)
    /// The trace has more threads than ``ReplayMode/maximumThreads``.
    case tooManyThreads(Int)
    /// The system starts no more threads.
    case threadRefused(reason: String)
}

extension ReplayError: CustomStringConvertible {
    /// What happened, at which event, and what can be done.
    public var description: String {
        switch self {
        case .allocationFailed(let event, let byteCount, let reason):
            "allocating \(byteCount) bytes failed at event \(event): \(reason)"
        case .deallocationFailed(let event, let byteCount, let reason):
            "giving \(byteCount) bytes back failed at event \(event): \(reason)"
        case .exceedsMemory(let needed, let available):
            "the trace has \(needed) bytes live at its peak, and only \(available) are available to write to; "
                + "replay it without touching the memory (--touch none)"
        case .mayExceedMemory(let bound, let available):
            "the trace's threads may have \(bound) bytes live when they run ahead of each other, and only \(available) "
                + "are available to write to; replay it without touching the memory (--touch none), or in recorded order on one thread"
        case .noTimes:
            "the trace has no times, which a replay at the recorded pace needs; replay it as fast as can be"
        case .speedOutOfRange(let speed):
            "the speed is above 0 and finite, not \(speed)"
        case .tooSlow(let seconds, let needed):
            "a round at this pace takes \(Int(seconds)) seconds, and \(Int(ReplayMode.maximumRoundSeconds)) are the most; "
                + "replay it at a speed of \(needed) or more"
        case .tooManyThreads(let count):
            "the trace has \(count) threads, and at most \(ReplayMode.maximumThreads) are replayed as threads; "
                + "replay it in recorded order on one thread"
        case .threadRefused(let reason):
            "the system starts no more threads: \(reason)"
        }
    }
}
