import AllocationTrace
import Foundation
import TensorPool

/// Measures the subjects of a ``ReplayEstimate`` as `tensor-pool replay` does: in processes of their own, which take turns.
///
/// Where there is time for no more, another allocator replays the whole once after part of it. Where there is not even
/// that, what is too slow gets samples of the trace, another one each turn: so how far the turns lie apart tells also
/// what the samples leave unknown.
final class ReplayEstimation {
    /// The share of the time that a look at one allocator may take, and the most events it is at.
    private static let shareOfLook = 0.03
    private static let mostEventsOfLook = 250_000
    /// The share of the time that is planned for: traces are to be written, or samples to be found.
    private static let planned = 0.97
    private static let plannedForSamples = 0.85
    /// How many times as many events as a look came to a sample may have.
    private static let mostLengthening = 16
    /// So many times the seconds may be taken where the whole can be replayed in them, or where turns differ, of a trace of
    /// so many events.
    private static let patience = 3.0
    private static let patientEvents = 250_000
    private static let maximumEvents = 1 << 20
    private static let usualTurns = 2
    private static let mostTurns = 7

    private let trace: AllocationTrace
    /// What is measured beside the suggestion.
    private let choices: [PoolChoice]
    private let sampler: TraceSampler
    /// What is written to each block: nothing where the machine has not the memory for what was asked.
    private let touch: Touch
    private let untouchedBecause: String?
    private let processes: ReplayProcesses
    private let progress: Progress
    /// About what there is, first looks included.
    private var seconds: Double
    private var secondsOfLooks = 0.0
    /// What there is where turns differ.
    private let longestSeconds: Double
    private var looks: [PoolChoice: ReplayLook] = [:]
    private var efforts: [PoolChoice: ReplayEffort] = [:]
    private var measured: [String] = []
    private var leastTurns = usualTurns
    private var turns = 0
    /// How many turns there will be, by what the ones so far took.
    private var expectedTurns = usualTurns
    private var processesDone = 0
    private var longestOfPool = Duration.zero
    private var start = ContinuousClock.now

    /// Looks how long the trace takes on each pool, jemalloc, the system's malloc and other peers, and decides what they
    /// replay.
    /// - Parameter seconds: about how long all subjects may take together; ``patience`` times that where it gets the
    ///   whole of a trace of up to ``patientEvents`` replayed.
    init(
        _ trace: AllocationTrace, touch: Touch, seconds: Double, peers: [PoolChoice] = [], progress: Progress
    ) throws {
        self.trace = trace
        choices = PoolChoice.ownAndSystem + peers.filter { !PoolChoice.ownAndSystem.contains($0) }
        let untouchedBecause = Self.reasonAgainst(
            touch, peakLiveBytes: trace.summary.peakLiveBytes, availableBytes: ProcessMemory.availableBytes)
        let touch = untouchedBecause == nil ? touch : .none
        if let untouchedBecause {
            progress.finish()
            StandardError.write("replaying with --touch none: \(untouchedBecause)")
        }
        self.touch = touch
        self.untouchedBecause = untouchedBecause
        self.seconds = seconds
        longestSeconds = trace.events.count <= Self.patientEvents ? seconds * Self.patience : seconds
        self.progress = progress
        sampler = TraceSampler(trace)
        processes = try ReplayProcesses(options: ["--touch", touch.rawValue, "--latency-rounds", "0"])
        try plan()
        secondsOfLooks = (ContinuousClock.now - start) / .seconds(1)
    }

    /// Measures every subject but the suggestion, as often as was planned, and again while time is left.
    func measurePools() throws {
        start = ContinuousClock.now
        while turns < Self.mostTurns {
            let needed = (ContinuousClock.now - start) / max(1, turns)
            // The suggestion's turns come later, and take as long as one pool's.
            let reserved = longestOfPool * (turns + 1)
            // Some turns that differ are for more of them.
            let isSettled = estimate.gains.allSatisfy(\.isStable)
            let most = isSettled ? seconds : longestSeconds
            guard turns < leastTurns || elapsed + (needed + reserved) / .seconds(1) <= most else { break }
            expect(turnsWithin: most, each: needed)
            for shift in choices.indices {
                let pool = choices[(shift + turns) % choices.count]
                let before = ContinuousClock.now
                try measure(pool.rawValue, on: pool, turn: turns)
                if PoolName(rawValue: pool.rawValue) != nil {
                    longestOfPool = max(longestOfPool, ContinuousClock.now - before)
                }
            }
            turns += 1
        }
        expectedTurns = turns
    }

    /// Foresees how many turns there is time for, and for as many of the suggestion.
    private func expect(turnsWithin seconds: Double, each needed: Duration) {
        guard turns > 0 else {
            expectedTurns = leastTurns
            return
        }
        let (turn, ofPool) = (needed / .seconds(1), longestOfPool / .seconds(1))
        let more = (seconds - elapsed - ofPool * Double(turns)) / max(1e-3, turn + ofPool)
        expectedTurns = max(leastTurns, turns + 1, min(Self.mostTurns, turns + Int(max(0, min(more, 100)))))
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
            turns: turns, subjects: subjects, gains: Gain.all(subjects), untouchedBecause: untouchedBecause)
    }

    /// Why the trace's blocks cannot be written to; nil where they can.
    static func reasonAgainst(_ touch: Touch, peakLiveBytes: Int, availableBytes: Int?) -> String? {
        // A process needs something beside the blocks.
        guard touch != .none, let availableBytes, peakLiveBytes > availableBytes / 16 * 15 else { return nil }
        return "the trace has \(Figures.mebibytes(peakLiveBytes)) MiB alive at its peak, "
            + "and \(Figures.mebibytes(availableBytes)) MiB are available to write to"
    }

    /// The options of `tensor-pool replay` by which an allocator is measured on the whole: ten rounds, or five where ten
    /// take more than five seconds, as without options, and more where they are short.
    ///
    /// Where the estimate replays the whole they are its own but for the number of rounds, the warm-up too: with another
    /// number of arguments a process begins with another heap, which has been seen to change what jemalloc costs to nearly
    /// three times as much.
    func optionsOfWhole(_ pool: PoolChoice) -> [String] {
        let nanoseconds = looks[pool].map { $0.nanosecondsPerEvent * Double(trace.events.count) } ?? 0
        let usual = nanoseconds * Double(ReplayEffort.usualRounds) > 5e9 ? 5 : ReplayEffort.usualRounds
        guard var effort = efforts[pool], effort.eventCount == trace.events.count else {
            return ["--rounds", "\(usual)"]
        }
        effort.rounds = max(effort.rounds, usual)
        return effort.options
    }

    /// Seconds that were spent so far.
    private var elapsed: Double { secondsOfLooks + (ContinuousClock.now - start) / .seconds(1) }

    private func plan() throws {
        let own = choices.filter { PoolName(rawValue: $0.rawValue) != nil }
        let groups = [own] + choices.filter { !own.contains($0) }.map { [$0] }
        // In processor time: on a busy machine all takes longer, and measures no less.
        let before = OwnProcess.childrensProcessorNanoseconds
        for (done, pool) in choices.enumerated() {
            progress.show("looking at the trace", on: pool.rawValue, done, of: choices.count, "process")
            looks[pool] = try look(at: pool)
        }
        let spent = Double(OwnProcess.childrensProcessorNanoseconds - before)
        let costs = groups.map { group in ReplayEffort.Cost(group.compactMap { looks[$0] }, isOwn: group == own) }
        for (group, effort) in zip(groups, share(among: costs, spentNanoseconds: spent)) {
            // What costs a slow allocator most may be rare, and missing from the look.
            let seen = group.compactMap { looks[$0]?.eventsSeen }.min() ?? 0
            let most =
                group == own || effort.eventCount == trace.events.count
                ? Self.maximumEvents : max(1, seen) * Self.mostLengthening
            let isTooLong = effort.eventCount > most
            for pool in group {
                efforts[pool] =
                    isTooLong ? ReplayEffort(eventCount: most, rounds: Int(ReplayEffort.Rounds.sample.peer)) : effort
            }
        }
    }

    /// The whole for everybody within the time, or within what patience adds, or samples.
    private func share(among costs: [ReplayEffort.Cost], spentNanoseconds: Double) -> [ReplayEffort] {
        func turn(_ seconds: Double, _ turns: Int, planned: Double) -> Double {
            max(0, seconds * planned * 1e9 - spentNanoseconds) / Double(turns)
        }
        let eventCount = trace.events.count
        let plans: [(seconds: Double, turns: Int, rounds: ReplayEffort.Rounds)] = [
            (seconds, Self.usualTurns, .usual), (longestSeconds, Self.usualTurns, .settled),
            (longestSeconds, 1, .settled),
            (longestSeconds, Self.usualTurns, .once), (longestSeconds, 1, .once),
        ]
        for plan in plans where eventCount <= Self.maximumEvents {
            // Where there may be time for one turn only, time that is left is for another.
            guard
                let efforts = ReplayEffort.whole(
                    turn(plan.seconds, plan.turns, planned: Self.planned), among: costs, eventCount: eventCount,
                    rounds: plan.rounds,
                    isFilled: plan.turns > 1)
            else { continue }
            seconds = plan.seconds
            leastTurns = plan.turns
            return efforts
        }
        return ReplayEffort.share(
            turn(seconds, leastTurns, planned: Self.plannedForSamples), among: costs, eventCount: eventCount,
            maximumEvents: Self.maximumEvents)
    }

    /// Goes through the trace twice, or through as much of it as there is time for.
    private func look(at pool: PoolChoice) throws -> ReplayLook {
        let isWhole = trace.events.count <= Self.mostEventsOfLook
        let file = try file(eventCount: isWhole ? trace.events.count : Self.mostEventsOfLook, seed: 0)
        let before = OwnProcess.childrensProcessorNanoseconds
        let passes = try processes.look(at: pool, touch: touch, seconds: seconds * Self.shareOfLook, file)
        return ReplayLook(
            passes, of: isWhole ? trace : nil, touch: touch,
            processorNanoseconds: OwnProcess.childrensProcessorNanoseconds - before)
    }

    private func measure(_ name: String, on pool: PoolChoice, turn: Int, options: [String] = []) throws {
        guard let effort = efforts[pool] else { return }
        show(name)
        if !measured.contains(name) { measured.append(name) }
        try processes.run(
            name, on: pool, options: effort.options + options,
            file(eventCount: effort.eventCount, seed: UInt64(turn + 1)))
        processesDone += 1
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
        // The suggestion has as many turns as each of the others.
        let total = expectedTurns * (choices.count + 1)
        progress.show("replaying", on: name, processesDone, of: total, "process")
    }
}

extension ReplayEffort {
    /// Of `tensor-pool replay`.
    fileprivate var options: [String] {
        ["--rounds", "\(rounds)"] + (warmUpNanoseconds.map { ["--warm-up", "\(Double($0) / 1e9)"] } ?? [])
    }
}
