import AllocationTrace

/// What `tensor-pool replay --format json` prints. The keys are stable: later versions add keys and keep these.
struct ReplayOutput: Codable, Equatable, FigureOutput {
    struct Pool: Codable, Equatable {
        /// As given with `--pool`.
        let name: String
        /// What that was, with its version.
        let allocator: String
        /// Nil, and no key in JSON, where it is not a pool of this package.
        let figures: PoolFigures?
    }

    let machine: MachineDescription
    /// The file as it was named.
    var file: String
    let trace: TraceSummary
    /// What the file held beside a legal history.
    let irregularities: TraceIrregularities
    let pool: Pool
    let touch: Touch
    let mode: ReplayMode
    /// Before the rounds; nil where there was none.
    let warmUp: ReplayWarmUp?
    /// Each round in order; the first meets memory that was never used, where no warm-up has.
    let rounds: [ReplayRound]
    /// The process's resident bytes before the first round.
    let residentBytesBefore: Int
    let residentPeakSource: ResidentPeakSource
    /// Over the later half of the rounds; by the clock, but at a pace the sum of the events' latencies.
    let nanosecondsPerEvent: RoundStatistics
    /// Over the later half of the rounds: what the replaying threads had of the processors.
    let processorNanosecondsPerEvent: RoundStatistics
    /// Over the later half of the rounds.
    let minorPageFaults: RoundStatistics
    /// Of single events; nil where no round was clocked.
    let latencies: LatencyReport?
    /// The highest resident peak of any round.
    let residentPeakBytes: Int
    /// How much that lies above what was resident before the first round, and what a pool took when it was made.
    let residentGrowthBytes: Int
    /// The growth over the trace's peak of live bytes.
    /// 1 is an allocator that wastes nothing; only with touched memory does it mean anything.
    let residentGrowthOverPeakLive: Double

    /// - Precondition: the outcome has a round.
    init(
        file: String, trace: AllocationTrace, pool: PoolChoice, touch: Touch, mode: ReplayMode,
        outcome: TraceReplay.Outcome
    ) {
        let report = outcome.report
        let settled = Self.settled(report.rounds)
        let events = Double(max(1, trace.events.count))
        guard
            let nanosecondsPerEvent = RoundStatistics(
                settled.map { Double($0.busyNanoseconds ?? $0.nanoseconds) / events }),
            let processorNanosecondsPerEvent = RoundStatistics(
                settled.map { Double($0.processorNanoseconds) / events }),
            let minorPageFaults = RoundStatistics(settled.map { Double($0.minorPageFaults) }),
            let residentPeakBytes = report.rounds.map(\.residentPeakBytes).max()
        else { preconditionFailure("a replay has at least one round") }
        machine = .current
        self.file = file
        self.trace = trace.summary
        irregularities = trace.irregularities
        self.pool = Pool(name: pool.rawValue, allocator: outcome.allocator, figures: outcome.figures)
        self.touch = touch
        self.mode = mode
        warmUp = report.warmUp
        rounds = report.rounds
        residentBytesBefore = report.residentBytesBefore
        residentPeakSource = report.residentPeakSource
        self.nanosecondsPerEvent = nanosecondsPerEvent
        self.processorNanosecondsPerEvent = processorNanosecondsPerEvent
        self.minorPageFaults = minorPageFaults
        latencies = report.latencies
        self.residentPeakBytes = residentPeakBytes
        let taken = (outcome.figures?.constructionResidentBytes ?? 0) + (outcome.figures?.prewarmResidentBytes ?? 0)
        residentGrowthBytes = residentPeakBytes - report.residentBytesBefore + taken
        residentGrowthOverPeakLive = Double(residentGrowthBytes) / Double(max(1, trace.summary.peakLiveBytes))
    }
}
