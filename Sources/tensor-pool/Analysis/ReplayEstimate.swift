import AllocationTrace
import Foundation
import TensorPool

/// What replaying a trace costs on each pool, on jemalloc and on the system's malloc: measured, each in processes of its
/// own, which take turns.
struct ReplayEstimate: Codable, Equatable {
    struct Subject: Codable, Equatable {
        /// What it is called in tables: a pool's name, or `suggested`.
        let name: String
        /// What that was, with its version.
        let allocator: String
        /// Nanoseconds an event in the first round of each process, which meets memory that was never used.
        let firstRound: RoundStatistics
        /// Nanoseconds an event over the later rounds of all processes.
        let nanosecondsPerEvent: RoundStatistics
        /// Page faults in a later round.
        let minorPageFaults: RoundStatistics
        /// By how much resident memory grew, over the peak of live bytes: the median of the processes.
        let residentGrowthOverPeakLive: Double
        /// What the pool holds after its last round; nil for another allocator.
        let reservedBytes: Int?
        /// Milliseconds to make the pool, prewarming included; nil for another allocator.
        let constructionMilliseconds: Double?
    }

    /// Events of the trace.
    let traceEvents: Int
    /// Events that were replayed, from the first on.
    let replayedEvents: Int
    /// What is written to each block.
    let touch: Touch
    /// Processes for each subject.
    var turns: Int
    var subjects: [Subject]

    /// How the measurements were taken, in words.
    var turnsText: String {
        turns == 1 ? "one process each" : "\(turns) processes each, which take turns"
    }

    func subject(_ name: String) -> Subject? { subjects.first { $0.name == name } }

    /// The subject that is measured in a suggested configuration.
    static let suggested = "suggested"
}

/// Measures the subjects of a ``ReplayEstimate``.
final class ReplayEstimation {
    /// What a round may allocate for each second that there is. First touches of fresh memory go at 1 to 4 GB a second,
    /// and three of the subjects meet them in each of at least three rounds.
    private static let roundBytesPerSecond = 0.125e9
    /// Processes that share the time.
    private static let processes = 20.0
    private static let maximumEvents = 1 << 20

    /// A tenth of the usual share is enough for a first look.
    private static let pilotShare = 0.1

    private let trace: AllocationTrace
    private let boundaries: [Int]
    private var prefix: TracePrefix
    private let touch: Touch
    private let seconds: Double
    private let folder: URL
    private let progress: Progress
    private var outputs: [String: [ReplayOutput]] = [:]
    private var order: [String] = []

    /// - Parameter seconds: about how long all subjects may take together.
    init(
        _ trace: AllocationTrace, boundaries: [Int], touch: Touch, seconds: Double, progress: Progress
    ) throws {
        self.trace = trace
        self.boundaries = boundaries
        self.touch = touch
        self.seconds = seconds
        self.progress = progress
        prefix = try TracePrefix(
            trace, maximumBytes: Int(seconds * Self.roundBytesPerSecond), maximumEvents: Self.maximumEvents,
            boundaries: boundaries)
        folder = FileManager.default.temporaryDirectory.appending(path: "tensor-pool-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try TraceFile.write(prefix.trace, to: tracePath, as: .tptrace)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private var tracePath: String { folder.appending(path: "trace.tptrace").path(percentEncoded: false) }

    /// Measures every pool, jemalloc and the system's malloc: once, and again while time is left.
    func measurePools() throws {
        let start = ContinuousClock.now
        if !prefix.isWhole {
            try measureAll(turn: 0, share: Self.pilotShare)
            try lengthen()
        }
        for turn in 0..<3 {
            // The suggestion's turn comes later, and takes as long as one pool's.
            guard turn == 0 || ContinuousClock.now - start < .seconds(seconds * 0.8) / (1 + turn) * turn else { return }
            try measureAll(turn: turn, share: 1)
        }
    }

    private func measureAll(turn: Int, share: Double) throws {
        for shift in PoolChoice.allCases.indices {
            let pool = PoolChoice.allCases[(shift + turn) % PoolChoice.allCases.count]
            try measure(pool.rawValue, on: pool, configuration: nil, share: share)
        }
    }

    /// Takes as much of the trace as three rounds of each subject have half the time for, by what the first look took:
    /// the more of a trace is replayed, the more is the estimate that of the whole.
    private func lengthen() throws {
        let perEvent = outputs.values.compactMap(\.last).reduce(0) { sum, output in
            sum + output.rounds.prefix(3).reduce(0) { $0 + Double($1.nanoseconds) }
                / Double(max(1, output.trace.eventCount))
        }
        let events = Int(min(Double(Self.maximumEvents), seconds / 2 * 1e9 / max(perEvent, 1)))
        outputs = [:]
        order = []
        guard events > prefix.trace.events.count else { return }
        prefix = try TracePrefix(trace, maximumBytes: .max, maximumEvents: events, boundaries: boundaries)
        try TraceFile.write(prefix.trace, to: tracePath, as: .tptrace)
    }

    /// Measures a pool in a configuration as often as the others.
    func measureSuggestion(_ configuration: PoolConfiguration) throws {
        guard let pool = PoolChoice(rawValue: configuration.pool.rawValue) else { return }
        let path = folder.appending(path: "configuration.json").path(percentEncoded: false)
        try PoolConfigurationFile.write(configuration, to: path)
        for _ in 0..<max(1, turns) { try measure(ReplayEstimate.suggested, on: pool, configuration: path, share: 1) }
    }

    private var turns: Int { outputs[PoolChoice.adaptive.rawValue]?.count ?? 0 }

    private func measure(_ name: String, on pool: PoolChoice, configuration: String?, share: Double) throws {
        progress.show("replaying \(Figures.count(prefix.trace.events.count)) events: \(name)")
        if outputs[name] == nil { order.append(name) }
        let arguments =
            [
                "replay", tracePath, "--pool", pool.rawValue, "--touch", touch.rawValue, "--rounds", "1000",
                "--seconds", "\(seconds / Self.processes * share)", "--format", "json",
            ] + (configuration.map { ["--configuration", $0] } ?? [])
        outputs[name, default: []].append(try OwnProcess.run(arguments, printing: ReplayOutput.self))
    }

    /// What was measured so far.
    var estimate: ReplayEstimate {
        ReplayEstimate(
            traceEvents: prefix.wholeEventCount, replayedEvents: prefix.trace.events.count, touch: touch, turns: turns,
            subjects: order.compactMap { name in outputs[name].flatMap { Self.subject(name, $0) } })
    }

    private static func subject(_ name: String, _ outputs: [ReplayOutput]) -> ReplayEstimate.Subject? {
        func perEvent(_ rounds: some Sequence<ReplayRound>, _ output: ReplayOutput) -> [Double] {
            rounds.map { Double($0.nanoseconds) / Double(max(1, output.trace.eventCount)) }
        }
        let first = outputs.flatMap { perEvent($0.rounds.prefix(1), $0) }
        let later = outputs.flatMap { perEvent($0.rounds.dropFirst(), $0) }
        let faults = outputs.flatMap { $0.rounds.dropFirst().map { Double($0.minorPageFaults) } }
        guard let output = outputs.last, let firstRound = RoundStatistics(first), let rounds = RoundStatistics(later),
            let pageFaults = RoundStatistics(faults),
            let growth = RoundStatistics(outputs.map(\.residentGrowthOverPeakLive))
        else { return nil }
        let construction = output.pool.figures.map { ($0.constructionNanoseconds + $0.prewarmNanoseconds) / 1e6 }
        return ReplayEstimate.Subject(
            name: name, allocator: output.pool.allocator, firstRound: firstRound, nanosecondsPerEvent: rounds,
            minorPageFaults: pageFaults, residentGrowthOverPeakLive: growth.median,
            reservedBytes: output.pool.figures?.reservedBytes, constructionMilliseconds: construction)
    }
}
