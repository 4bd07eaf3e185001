import AllocationTrace
import Foundation
import TensorPool

/// Measures the subjects of a ``ReplayEstimate`` as `tensor-pool replay` does: in processes of their own, which take turns.
///
/// What is too slow to replay the whole trace in the time gets samples of it, another one each turn: so how far the turns
/// lie apart tells also what the samples leave unknown.
final class ReplayEstimation {
    /// What the first look may allocate for each second that there is. First touches of fresh memory go at 1 to 4 GB a
    /// second at best, and three of the subjects meet them in each round.
    private static let pilotBytesPerSecond = 0.05e9
    private static let pilotRounds = 2
    /// The share of the time that is planned for: samples are to be found and written too.
    private static let planned = 0.85
    /// How many times as long as the first look a sample may be.
    private static let mostLengthening = 16
    private static let maximumEvents = 1 << 20
    private static let leastTurns = 2
    private static let mostTurns = 7
    /// Of a sample; the later half counts. A pool of this package learns which sizes come back.
    private static let leastOwnRounds = 5
    /// Of another allocator, which settles within one round: longer samples tell more than rounds.
    private static let leastPeerRounds = 2

    private let trace: AllocationTrace
    private let sampler: TraceSampler
    private let touch: Touch
    private let seconds: Double
    private let processes: ReplayProcesses
    private let progress: Progress
    private let start = ContinuousClock.now
    private var efforts: [PoolChoice: ReplayEffort] = [:]
    private var measured: [String] = []
    private var turns = 0

    /// - Parameter seconds: about how long all subjects may take together.
    init(_ trace: AllocationTrace, touch: Touch, seconds: Double, progress: Progress) throws {
        self.trace = trace
        self.touch = touch
        self.seconds = seconds
        self.progress = progress
        sampler = TraceSampler(trace)
        processes = try ReplayProcesses(options: ["--touch", touch.rawValue, "--latency-rounds", "0"])
    }

    /// Measures every pool, jemalloc and the system's malloc: twice, and again while time is left.
    func measurePools() throws {
        try plan()
        let beginning = ContinuousClock.now
        while turns < Self.mostTurns {
            let needed = (ContinuousClock.now - beginning) / max(1, turns) * 1.2
            // The suggestion's turns come later, and take as long as one pool's.
            let reserved = needed / Double(PoolChoice.ownAndSystem.count) * Double(turns + 1)
            guard turns < Self.leastTurns || elapsed + (needed + reserved) / .seconds(1) <= seconds else { break }
            let pools = PoolChoice.ownAndSystem
            for shift in pools.indices {
                let pool = pools[(shift + turns) % pools.count]
                try measure(pool.rawValue, on: pool, turn: turns)
            }
            turns += 1
        }
    }

    /// Measures a pool in a configuration as often as the others, on the same events.
    func measureSuggestion(_ configuration: PoolConfiguration) throws {
        guard let pool = PoolChoice(rawValue: configuration.pool.rawValue) else { return }
        let path = processes.path("configuration.json")
        try PoolConfigurationFile.write(configuration, to: path)
        for turn in 0..<turns {
            try measure(ReplayEstimate.suggested, on: pool, turn: turn, options: ["--configuration", path])
        }
    }

    /// What was measured so far.
    var estimate: ReplayEstimate {
        let subjects = measured.compactMap { processes.subject($0) }
        return ReplayEstimate(
            traceEvents: trace.events.count, replayedEvents: subjects.map(\.eventsPerRound).min() ?? 0, touch: touch,
            turns: turns, subjects: subjects, gains: Gain.all(subjects))
    }

    private var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

    /// Decides what each subject replays: by a first look at a short sample, where the whole is not short itself.
    private func plan() throws {
        let own = PoolChoice.ownAndSystem.filter { PoolName(rawValue: $0.rawValue) != nil }
        let groups = [own] + PoolChoice.ownAndSystem.filter { !own.contains($0) }.map { [$0] }
        let share = seconds * Self.pilotBytesPerSecond / Double(max(1, trace.summary.allocatedBytes))
        let pilot = max(1, Int(min(share, 1) * Double(min(trace.events.count, Self.maximumEvents))))
        guard pilot < trace.events.count else {
            for pool in PoolChoice.ownAndSystem {
                efforts[pool] = ReplayEffort(eventCount: pilot, rounds: ReplayEffort.mostRounds)
            }
            return
        }
        let file = try file(eventCount: pilot, seed: 0)
        // In processor time: on a busy machine all takes longer, and measures no less.
        let before = OwnProcess.childrensProcessorNanoseconds
        var costs: [ReplayEffort.Cost] = []
        for group in groups {
            var perEvent = 0.0
            var perProcess = 0.0
            for pool in group {
                show(pool.rawValue)
                let before = OwnProcess.childrensProcessorNanoseconds
                let output = try processes.look(
                    at: pool, options: ["--rounds", "\(Self.pilotRounds)"], file)
                let taken = Double(OwnProcess.childrensProcessorNanoseconds - before)
                let (cold, warm) = (output.rounds[0], output.rounds[output.rounds.count - 1])
                perEvent += Double(warm.processorNanoseconds) / Double(max(1, output.trace.eventCount))
                perProcess += max(0, taken - output.rounds.reduce(0) { $0 + Double($1.processorNanoseconds) })
                perProcess += max(0, Double(cold.processorNanoseconds - warm.processorNanoseconds))
            }
            // The pool that is suggested is one more.
            let count = group == own ? Double(own.count + 1) / Double(own.count) : 1
            costs.append(
                ReplayEffort.Cost(
                    nanosecondsPerEvent: perEvent * count, nanosecondsPerProcess: perProcess * count,
                    leastRounds: group == own ? Self.leastOwnRounds : Self.leastPeerRounds))
        }
        let left = seconds * Self.planned * 1e9 - Double(OwnProcess.childrensProcessorNanoseconds - before)
        let shares = ReplayEffort.share(
            max(0, left) / Double(Self.leastTurns), among: costs, eventCount: trace.events.count,
            maximumEvents: Self.maximumEvents)
        for (group, effort) in zip(groups, shares) {
            // What costs a slow allocator most may be rare, and missing from the first look.
            let most = group == own ? Self.maximumEvents : pilot * Self.mostLengthening
            let isTooLong = effort.eventCount > most
            for pool in group {
                efforts[pool] =
                    isTooLong ? ReplayEffort(eventCount: most, rounds: Self.leastPeerRounds) : effort
            }
        }
    }

    private func measure(_ name: String, on pool: PoolChoice, turn: Int, options: [String] = []) throws {
        guard let effort = efforts[pool] else { return }
        show(name)
        if !measured.contains(name) { measured.append(name) }
        try processes.run(
            name, on: pool, options: ["--rounds", "\(effort.rounds)"] + options,
            file(eventCount: effort.eventCount, seed: UInt64(turn + 1)))
    }

    /// The file with a sample, written where it is not there yet.
    private func file(eventCount: Int, seed: UInt64) throws -> String {
        guard eventCount < trace.events.count else {
            return try processes.file("trace.tptrace") { trace }
        }
        return try processes.file("sample-\(eventCount)-\(seed).tptrace") {
            try sampler.sample(eventCount: eventCount, seed: seed)
        }
    }

    private func show(_ name: String) {
        let now = elapsed
        let left = Progress.remaining(done: min(now, seconds), of: seconds, elapsed: now)
        progress.show("replaying on \(name): \(left)")
    }
}
