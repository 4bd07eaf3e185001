/// What one round of a replay took.
public struct ReplayRound: Codable, Equatable, Sendable {
    /// From before the first event to after the last, by the monotonic clock.
    public let nanoseconds: Int
    /// What the replaying threads had of the processors in that time, in the program and in the system. Other programs
    /// on the machine change it less than they change ``nanoseconds``.
    public let processorNanoseconds: Int
    /// The sum of all events' latencies in a round at a pace, where most of the time is waiting; nil in others.
    public let busyNanoseconds: Int?
    /// Page faults of the whole process that needed no input or output.
    public let minorPageFaults: Int
    /// The most bytes of the process that were resident: see ``ReplayReport/residentPeakSource``.
    public let residentPeakBytes: Int
}

/// Where a resident peak comes from.
public enum ResidentPeakSource: String, Codable, Sendable {
    /// The system's high-water mark, reset before each round: the peak is the round's own.
    case round
    /// The system refuses to reset its mark: the peak is the process's since it started, and only ever rises.
    case process
}

/// The rounds of a replay, with what is needed to read them.
public struct ReplayReport: Codable, Equatable, Sendable {
    /// What went before the rounds; nil where nothing did.
    public var warmUp: ReplayWarmUp?
    /// The rounds, in order.
    public var rounds: [ReplayRound]
    /// The process's resident bytes before the first round, with the allocator built and the trace loaded.
    public let residentBytesBefore: Int
    /// What the resident peaks are.
    public let residentPeakSource: ResidentPeakSource
    /// What single events took; nil where no round was clocked.
    public var latencies: LatencyReport?

    /// A report of rounds that were run.
    public init(
        warmUp: ReplayWarmUp? = nil, rounds: [ReplayRound], residentBytesBefore: Int,
        residentPeakSource: ResidentPeakSource, latencies: LatencyReport? = nil
    ) {
        self.warmUp = warmUp
        self.rounds = rounds
        self.residentBytesBefore = residentBytesBefore
        self.residentPeakSource = residentPeakSource
        self.latencies = latencies
    }
}
