import AllocationTrace

/// What the replays of one allocator found, put together from processes of its own.
struct ReplaySubject: Codable, Equatable {
    /// What it is called in tables: a pool's name, or `suggested`.
    let name: String
    /// What that was, with its version.
    let allocator: String
    /// Events in a round, the median of the processes: fewer than the trace has where samples of it were replayed.
    let eventsPerRound: Int
    /// Nanoseconds an event in the first round of each process, which meets memory that was never used; where a warm-up
    /// went before it, in that.
    let firstRound: RoundStatistics
    /// Nanoseconds an event by the clock, over the later half of each process's rounds.
    let nanosecondsPerEvent: RoundStatistics
    /// The same of what the threads had of the processors: other programs on the machine change it less.
    let processorNanosecondsPerEvent: RoundStatistics
    /// The median of that in each process: one value a process.
    let processMedians: RoundStatistics
    /// The same medians, in the order of the turns.
    let turnMedians: [Double]
    /// Page faults in one of these rounds.
    let minorPageFaults: RoundStatistics
    /// The highest of any round.
    let residentPeakBytes: Int
    /// By how much resident memory grew, over the peak of live bytes: the median of the processes.
    let residentGrowthOverPeakLive: Double
    /// What the pool holds after its last round; nil for another allocator.
    let reservedBytes: Int?
    /// Milliseconds to make the pool, prewarming included; nil for another allocator.
    let constructionMilliseconds: Double?
    /// Of the last process; nil where it clocked no round.
    let latencies: LatencyReport?
}

extension ReplaySubject {
    /// Nil where there was no process.
    init?(_ name: String, _ outputs: [ReplayOutput]) {
        func statistics(_ value: (ReplayOutput) -> [Double]) -> RoundStatistics? {
            RoundStatistics(outputs.flatMap(value))
        }
        guard let output = outputs.last,
            let firstRound = statistics({ $0.firstNanosecondsPerEvent }),
            let nanosecondsPerEvent = statistics({ $0.nanosecondsPerEvent(in: $0.settledRounds) }),
            let processor = statistics({ $0.processorNanosecondsPerEvent(in: $0.settledRounds) }),
            let processMedians = statistics({ [$0.processorNanosecondsPerEvent.median] }),
            let events = statistics({ [Double($0.trace.eventCount)] }),
            let minorPageFaults = statistics({ $0.settledRounds.map { Double($0.minorPageFaults) } }),
            let growth = statistics({ [$0.residentGrowthOverPeakLive] })
        else { return nil }
        self.name = name
        allocator = output.pool.allocator
        eventsPerRound = Int(events.median)
        self.firstRound = firstRound
        self.nanosecondsPerEvent = nanosecondsPerEvent
        processorNanosecondsPerEvent = processor
        self.processMedians = processMedians
        turnMedians = outputs.map(\.processorNanosecondsPerEvent.median)
        self.minorPageFaults = minorPageFaults
        residentPeakBytes = outputs.map(\.residentPeakBytes).max() ?? 0
        residentGrowthOverPeakLive = growth.median
        reservedBytes = output.pool.figures?.reservedBytes
        constructionMilliseconds = output.pool.figures.map {
            ($0.constructionNanoseconds + $0.prewarmNanoseconds) / 1e6
        }
        latencies = output.latencies
    }
}

extension ReplayOutput {
    /// The later half of the rounds, at least one: an allocator takes some rounds to settle.
    var settledRounds: ArraySlice<ReplayRound> { Self.settled(rounds) }

    static func settled(_ rounds: [ReplayRound]) -> ArraySlice<ReplayRound> { rounds.dropFirst(rounds.count / 2) }

    /// Of the first round, or of the warm-up before it where that met an event.
    fileprivate var firstNanosecondsPerEvent: [Double] {
        guard let warmUp, warmUp.eventCount > 0 else { return nanosecondsPerEvent(in: rounds.prefix(1)) }
        return [Double(warmUp.nanoseconds) / Double(warmUp.eventCount)]
    }

    /// Of each round; without waiting where it was at a pace.
    func nanosecondsPerEvent(in rounds: ArraySlice<ReplayRound>) -> [Double] {
        rounds.map { Double($0.busyNanoseconds ?? $0.nanoseconds) / Double(max(1, trace.eventCount)) }
    }

    func processorNanosecondsPerEvent(in rounds: ArraySlice<ReplayRound>) -> [Double] {
        rounds.map { Double($0.processorNanoseconds) / Double(max(1, trace.eventCount)) }
    }
}
