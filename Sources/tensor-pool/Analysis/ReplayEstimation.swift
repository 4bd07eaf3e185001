import AllocationTrace
import Foundation
import TensorPool

/// Measures the subjects of a ``ReplayEstimate``.
final class ReplayEstimation {
    /// What a round may allocate for each second that there is. First touches of fresh memory go at 1 to 4 GB a second,
    /// and three of the subjects meet them in each round.
    private static let roundBytesPerSecond = 0.125e9
    /// Processes that share the time.
    private static let processes = 20.0
    private static let maximumEvents = 1 << 20
    /// An allocator takes some rounds to settle, and the later half counts.
    private static let leastRounds = 5
    /// A first look needs no more.
    private static let pilotRounds = 2

    private let trace: AllocationTrace
    private let boundaries: [Int]
    private var prefix: TracePrefix
    private let touch: Touch
    private let seconds: Double
    private let processes: ReplayProcesses
    private let progress: Progress
    private var order: [String] = []
    private let start = ContinuousClock.now

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
        processes = try ReplayProcesses(
            prefix.trace, options: ["--touch", touch.rawValue, "--latency-rounds", "0"])
    }

    /// Measures every pool, jemalloc and the system's malloc: once, and again while time is left.
    func measurePools() throws {
        if !prefix.isWhole {
            try measureAll(turn: 0, rounds: Self.pilotRounds)
            try lengthen()
        }
        for turn in 0..<3 {
            // The suggestion's turn comes later, and takes as long as one pool's.
            guard turn == 0 || ContinuousClock.now - start < .seconds(seconds * 0.8) / (1 + turn) * turn else { return }
            try measureAll(turn: turn, rounds: 1000)
        }
    }

    private func measureAll(turn: Int, rounds: Int) throws {
        let pools = PoolChoice.ownAndSystem
        for shift in pools.indices {
            let pool = pools[(shift + turn) % pools.count]
            try measure(pool.rawValue, on: pool, rounds: rounds)
        }
    }

    /// Takes as much of the trace as the least rounds of each subject have two thirds of the time for, by what the first look
    /// had of the processor: the more of a trace is replayed, the more is the estimate that of the whole.
    private func lengthen() throws {
        let perEvent = order.compactMap { processes.outputs(of: $0).last }.reduce(0) { sum, output in
            let rounds = output.processorNanosecondsPerEvent(in: output.rounds[...])
            return sum + rounds.reduce(0, +) / Double(rounds.count) * Double(Self.leastRounds)
        }
        let events = Int(min(Double(Self.maximumEvents), seconds * 2 / 3 * 1e9 / max(perEvent, 1)))
        order = []
        if events > prefix.trace.events.count {
            prefix = try TracePrefix(trace, maximumBytes: .max, maximumEvents: events, boundaries: boundaries)
        }
        try processes.replace(prefix.trace)
    }

    /// Measures a pool in a configuration as often as the others.
    func measureSuggestion(_ configuration: PoolConfiguration) throws {
        guard let pool = PoolChoice(rawValue: configuration.pool.rawValue) else { return }
        let path = processes.path("configuration.json")
        try PoolConfigurationFile.write(configuration, to: path)
        for _ in 0..<max(1, turns) {
            try measure(ReplayEstimate.suggested, on: pool, rounds: 1000, options: ["--configuration", path])
        }
    }

    private var turns: Int { processes.count(PoolChoice.adaptive.rawValue) }

    private func measure(_ name: String, on pool: PoolChoice, rounds: Int, options: [String] = []) throws {
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        let left = Progress.remaining(done: min(elapsed, seconds), of: seconds, elapsed: elapsed)
        progress.show("replaying \(Figures.count(prefix.trace.events.count)) events on \(name): \(left)")
        if !order.contains(name) { order.append(name) }
        let effort = ["--rounds", "\(rounds)", "--seconds", "\(seconds / Self.processes)"]
        try processes.run(name, on: pool, options: effort + options)
    }

    /// What was measured so far.
    var estimate: ReplayEstimate {
        ReplayEstimate(
            traceEvents: prefix.wholeEventCount, replayedEvents: prefix.trace.events.count, touch: touch, turns: turns,
            subjects: order.compactMap { processes.subject($0) })
    }
}
