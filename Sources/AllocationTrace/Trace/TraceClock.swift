/// What the times of a trace count from.
public struct TraceClock: Sendable, Equatable, Codable {
    /// Where a recording's clock has its zero.
    public enum Epoch: String, Sendable, Codable, CaseIterable {
        /// Nothing outside the recording is known.
        case recording
        /// Midnight, by the recording machine's wall clock.
        case midnight
        /// 1970-01-01 00:00 UTC.
        case unix
    }

    /// Where the clock has its zero.
    public let epoch: Epoch
    /// Nanoseconds from the epoch to the trace's time 0.
    public let startNanoseconds: Int64

    /// A clock that started `startNanoseconds` after `epoch`.
    public init(epoch: Epoch = .recording, startNanoseconds: Int64 = 0) {
        self.epoch = epoch
        self.startNanoseconds = startNanoseconds
    }
}
