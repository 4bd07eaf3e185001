import AllocationTrace
import ArgumentParser

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replays a recorded allocation trace on one allocator or on several.",
        discussion: """
            Reads an RMM log (CSV), a PyTorch profiler trace (JSON with profile_memory=True), a binary trace \
            (.tptrace) or a minimalloc problem (CSV), plain or gzip, known by its content; - is standard input. \
            Repeats its allocations in recorded order on one thread; with --concurrent on one thread for each recorded \
            one, where a free waits for the allocation of its own tensor and nothing else waits, so that threads may \
            run further ahead than was recorded; with --timed at the recorded times.

            --pool measures one allocator, round by round. --pools and --peers compare several, each in processes of \
            its own, which take turns. The system's malloc, tcmalloc and mimalloc are measured in a helper process, \
            because this one links jemalloc, which on Linux replaces malloc; they get their settings from the \
            environment, such as GLIBC_TUNABLES. A pool of this package is made on a base of its own, in its default \
            configuration or in that of a file (--configuration; 'tensor-pool analyze' writes one).

            The figures are those of the later half of the rounds, when the allocator has settled. Rounds are timed as \
            a whole. After them come rounds with the clock read before and after each event, for the latencies of \
            single events, what is written to the memory included; what reading the clock costs is measured, told, and \
            taken off.

            JSON keys: machine, file, trace (counts; peakLiveBytes, allocatedBytes and other sizes in bytes), \
            irregularities, mode (isConcurrent; speed where timed), pool (name, allocator, and for a pool of this \
            package figures: constructionNanoseconds, constructionResidentBytes, prewarmNanoseconds, \
            prewarmResidentBytes, reservedBytes, and over the rounds after the first reuseRate and cacheHitRate from 0 \
            to 1), touch, where asked for warmUp (eventCount, nanoseconds, processorNanoseconds), rounds \
            (nanoseconds, processorNanoseconds: what the threads had of the processors, minorPageFaults, \
            residentPeakBytes, and where timed busyNanoseconds: without waiting, of each), \
            residentBytesBefore, residentPeakSource (round: each peak is that round's; process: of the process's \
            life), residentPeakBytes, residentGrowthBytes (what a pool took when it was made is in it), \
            residentGrowthOverPeakLive; over the later half of the rounds nanosecondsPerEvent (where timed without \
            waiting), processorNanosecondsPerEvent and minorPageFaults (rounds, minimum, lowerQuartile, median, \
            upperQuartile, maximum); latencies (rounds, clockNanoseconds; events, allocations, frees and where timed \
            lateness: count, mean, p50, p90, p99, p999, maximum, in nanoseconds). With --pools or --peers: machine, \
            file, trace, irregularities, mode, touch, turns and subjects (name, allocator, eventsPerRound, firstRound, \
            nanosecondsPerEvent, processorNanosecondsPerEvent, processMedians, turnMedians, minorPageFaults, \
            residentPeakBytes, residentGrowthOverPeakLive, reservedBytes, constructionMilliseconds, latencies of the \
            last turn), gains (pool, peer, ratio: the median over the turns; lowest, highest, processes). CSV has \
            the same as section, item, figure and value.

            Exit codes: 0 done; 1 a file cannot be read, a peer is not installed, or a replay failed; 64 wrong \
            arguments.

            Examples:
              tensor-pool replay trace.csv.gz
              tensor-pool replay trace.csv --pools standard,adaptive --peers glibc,tcmalloc
              tensor-pool replay server.tptrace --concurrent --timed --speed 10
              tensor-pool replay trace.csv.gz --configuration pool.json --rounds 1000
              tensor-pool replay trace.csv --pool system --rounds 10 --format json
            """
    )

    @Argument(help: "The trace.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var file: String

    @Option(help: "The one allocator that is measured. (default: adaptive)")
    var pool: PoolChoice?

    @Option(help: "Pools to compare, with commas between them.")
    var pools: NameList<PoolName>?

    @Option(help: "Other allocators to compare with, with commas between them; each as it comes.")
    var peers: NameList<PeerName>?

    @Option(help: "What is written into each block: nothing, a byte in every 4 KiB page, or every byte.")
    var touch: Touch = .page

    @Flag(help: "One thread for each recorded thread.")
    var concurrent = false

    @Flag(help: "At the recorded times. The trace must have them.")
    var timed = false

    @Option(help: "How many times as fast as recorded, with --timed; 0.5 is half as fast. (default: 1)")
    var speed: Double?

    @Option(help: "How often the trace is replayed, 1 to 100000. (default: 10, with --timed 1)")
    var rounds: Int?

    @Option(
        help: "No round begins after so many seconds, but for the first five. (default: 5, with --rounds no such bound)"
    )
    var seconds: Double?

    @Option(
        help:
            "How often it is replayed after that for the latencies, 0 to 1000. With --timed every round is. (default: 3)"
    )
    var latencyRounds: Int?

    @Option(
        help: "Seconds of processor time for which the trace is replayed before the rounds, once at most, up to 3600.")
    var warmUp: Double?

    @Option(help: "How many processes of each allocator take turns when several are compared, 1 to 100. (default: 3)")
    var turns: Int?

    @Option(help: "A configuration file of the pool.", completion: .file(extensions: ["json"]))
    var configuration: String?

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    private var isComparison: Bool { pools != nil || peers != nil }
    private var mode: ReplayMode { ReplayMode(isConcurrent: concurrent, speed: timed ? speed ?? 1 : nil) }

    func validate() throws {
        if let rounds, !(1...100_000).contains(rounds) {
            throw ValidationError("--rounds is 1 to 100000, not \(rounds).")
        }
        if let seconds, !(seconds > 0 && seconds <= 86_400) {
            throw ValidationError("--seconds is above 0, up to 86400, not \(seconds).")
        }
        if let speed {
            guard timed else { throw ValidationError("--speed is of a replay at the recorded times: give --timed.") }
            guard speed > 0, speed <= 1e9 else {
                throw ValidationError("--speed is above 0, up to 1000000000, not \(speed).")
            }
        }
        if let warmUp, !(warmUp > 0 && warmUp <= 3600) {
            throw ValidationError("--warm-up is above 0, up to 3600 seconds, not \(warmUp).")
        }
        if let latencyRounds {
            guard !timed else { throw ValidationError("--latency-rounds: with --timed every round has latencies.") }
            guard (0...1000).contains(latencyRounds) else {
                throw ValidationError("--latency-rounds is 0 to 1000, not \(latencyRounds).")
            }
        }
        if let turns {
            guard isComparison else { throw ValidationError("--turns is of a comparison: give --pools or --peers.") }
            guard (1...100).contains(turns) else { throw ValidationError("--turns is 1 to 100, not \(turns).") }
        }
        if isComparison {
            guard pool == nil else { throw ValidationError("--pool measures one; leave it out to compare several.") }
            guard configuration == nil else {
                throw ValidationError("--configuration is of one pool: give it with --pool.")
            }
        }
        if configuration != nil, let pool, PoolName(rawValue: pool.rawValue) == nil {
            throw ValidationError("--configuration is of a pool of this package, and --pool is \(pool.rawValue).")
        }
    }

    func run() throws {
        let progress = Progress()
        defer { progress.finish() }
        // What has to be read again, in another process, must not cost details that are not needed.
        let details: TraceDetails = timed ? .times : []
        let read = try TraceLoading(progress: progress).read(file, options: TraceFile.Options(details: details))
        try EmptyTrace.check(read)
        try mode.check(read.trace)
        if isComparison {
            try compare(read, progress).print(as: format)
        } else {
            try measure(read, progress).print(as: format)
        }
    }

    private var roundCount: Int { rounds ?? (timed ? 1 : 10) }
    private var timeLimit: Double? { seconds ?? (rounds == nil ? 5 : nil) }
    private var warmUpLimit: WarmUpLimit? { warmUp.map { WarmUpLimit(processorNanoseconds: Int($0 * 1e9)) } }
    private var latencyRoundCount: Int { latencyRounds ?? (timed ? 0 : 3) }

    private func measure(_ read: TraceFile, _ progress: Progress) throws -> ReplayOutput {
        let pool = pool ?? .adaptive
        let replay = TraceReplay(
            file: read, touch: touch, mode: mode, rounds: roundCount, warmUp: warmUpLimit,
            latencyRounds: latencyRoundCount, timeLimit: timeLimit.map { .seconds($0) },
            configuration: try configuration.map { try PoolConfigurationFile.read($0) })
        // Between rounds at a pace there is nothing to tell for as long as the recording lasts.
        let outcome = try progress.show("replaying at the recorded pace", lasting: pacedSeconds(read)) {
            try replay.run(on: pool) { done in
                if !timed { progress.show("replaying", done, of: roundCount, "round") }
            }
        }
        progress.finish()
        return ReplayOutput(
            file: file, trace: read.trace, pool: pool, touch: touch, mode: mode, outcome: outcome)
    }

    /// What all rounds take at the recorded pace, 0 where there is none.
    private func pacedSeconds(_ read: TraceFile) -> Double {
        guard let speed = mode.speed else { return 0 }
        return Double(read.trace.durationNanoseconds ?? 0) / 1e9 / speed * Double(roundCount)
    }

    private func compare(_ read: TraceFile, _ progress: Progress) throws -> ReplayComparisonOutput {
        let choices =
            (pools?.names ?? []).compactMap { PoolChoice(rawValue: $0.rawValue) } + (peers?.names ?? []).map(\.choice)
        // What is missing is told before anything is measured.
        try peers?.checkInstalled()
        let turns = turns ?? 3
        let processes = try ReplayProcesses(
            options: ["--touch", touch.rawValue, "--rounds", "\(roundCount)"]
                + (timeLimit.map { ["--seconds", "\($0)"] } ?? []) + (warmUp.map { ["--warm-up", "\($0)"] } ?? [])
                + (concurrent ? ["--concurrent"] : [])
                + (mode.speed.map { ["--timed", "--speed", "\($0)"] } ?? []))
        let file = try processes.file("trace.tptrace") { read.trace }
        try processes.takeTurns(turns, choices, file, progress) { _, turn in
            // The latencies of one process do not add up with another's.
            timed ? [] : ["--latency-rounds", "\(turn == turns - 1 ? latencyRoundCount : 0)"]
        }
        progress.finish()
        return ReplayComparisonOutput(
            file: self.file, trace: read.trace, touch: touch, mode: mode, turns: turns,
            subjects: choices.compactMap { processes.subject($0.rawValue) })
    }
}
