import AllocationTrace
import ArgumentParser

struct CheckEstimateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-estimate",
        abstract: "Compares the gains that 'analyze' estimates with those that replaying whole traces shows.",
        discussion: """
            For each trace, estimates the gain of each pool over jemalloc and over the system's malloc as 'analyze' \
            does, within --seconds; and replays all of it as 'replay' does, in so many processes of each allocator \
            (--turns), which take turns: the first before the estimate, the others after it. Where a round is short \
            there are more than ten. A gain is the ratio of processor times an event in a turn, the median of the turns; \
            lowest and highest are of single turns. An estimate agrees within 20 % of what was measured. It does not, \
            but lies between the lowest and the highest that was measured, or what was measured between those of the \
            estimate: 'within'. Neither, and the lowest and the highest measured are further apart than 20 % themselves: \
            'varies'. Neither, though they are not: 'differs'. Takes as long \
            as the slowest allocator needs for five rounds of each trace, times --turns.

            JSON keys: machine, touch, turns, files (file, events, replayedEvents, seconds, estimateTurns, comparisons: \
            estimated and measured (pool, peer, ratio, lowest, highest, processes), verdict: agrees, within, varies, differs). \
            CSV has the same as section, item, figure and value.

            Exit codes: 0 no estimate differs; 1 a file cannot be read, or a replay \
            failed; 2 an estimate differs; 64 wrong arguments.

            Examples:
              tensor-pool check-estimate profile.json.gz
              tensor-pool check-estimate *.csv.gz --turns 5 --format json
            """
    )

    @Argument(help: "The traces.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var files: [String]

    @Option(help: "What is written into each block: nothing, a byte in every 4 KiB page, or every byte.")
    var touch: Touch = .page

    @Option(help: "About how many seconds the replays of an estimate take together, 0.1 to 3600; see 'analyze'.")
    var seconds = 5.0

    @Option(help: "How many processes of each allocator replay the whole trace, 2 to 100.")
    var turns = 3

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    func validate() throws {
        guard seconds >= 0.1, seconds <= 3600 else {
            throw ValidationError("--seconds is 0.1 to 3600, not \(seconds).")
        }
        guard (2...100).contains(turns) else { throw ValidationError("--turns is 2 to 100, not \(turns).") }
    }

    func run() throws {
        let progress = Progress()
        defer { progress.finish() }
        let check = EstimateCheck(
            machine: .current, touch: touch, turns: turns, files: try files.map { try compare($0, progress) })
        progress.finish()
        try check.print(as: format)
        if check.count(.differs) > 0 { throw ExitCode(2) }
    }

    private func compare(_ path: String, _ progress: Progress) throws -> EstimateCheck.File {
        let read = try TraceLoading(progress: progress).read(path, options: .init(details: []))
        try EmptyTrace.check(read)
        let trace = read.trace
        let clock = ContinuousClock()
        var start = clock.now
        let estimation = try ReplayEstimation(trace, touch: touch, seconds: seconds, progress: progress)
        var taken = clock.now - start
        let processes = try ReplayProcesses(options: ["--touch", touch.rawValue, "--latency-rounds", "0"])
        let file = try processes.file("trace.tptrace") { trace }
        let pools = PoolChoice.ownAndSystem
        func take(_ part: Range<Int>) throws {
            try processes.takeTurns(turns, part: part, pools, file, progress) { pool, _ in
                estimation.optionsOfWhole(pool)
            }
        }
        // The estimate is made between turns: a machine that gets busier or idler shows in what the turns find.
        try take(0..<1)
        start = clock.now
        try estimation.measurePools()
        taken += clock.now - start
        let estimate = estimation.estimate
        try take(1..<turns)
        let measured = Gain.all(pools.compactMap { processes.subject($0.rawValue) })
        return EstimateCheck.File(
            file: path, events: trace.events.count, replayedEvents: estimate.replayedEvents,
            seconds: taken / .seconds(1),
            estimateTurns: estimate.turns,
            comparisons: measured.compactMap { measured in
                estimate.gain(of: measured.pool, over: measured.peer).map {
                    EstimateCheck.Comparison(estimated: $0, measured: measured)
                }
            })
    }
}
