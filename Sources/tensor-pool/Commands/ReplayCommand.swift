import AllocationTrace
import ArgumentParser

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replays a recorded allocation trace on one allocator.",
        discussion: """
            Reads an RMM log (CSV), a PyTorch profiler trace (JSON with profile_memory=True), a binary trace \
            (.tptrace) or a minimalloc problem (CSV), plain or gzip, known by its content; - is standard input. \
            Repeats its allocations in recorded order on one thread. The system's malloc is measured in a \
            helper process, because this one links jemalloc, which on Linux replaces malloc. A pool of this package \
            is made on a base of its own, in its default configuration or in that of a file (--configuration; \
            'tensor-pool analyze' writes one).

            JSON keys: machine, file, trace (counts; peakLiveBytes, allocatedBytes and other sizes in bytes), \
            irregularities, pool (name, allocator, and for a pool of this package figures: \
            constructionNanoseconds, constructionResidentBytes, prewarmNanoseconds, prewarmResidentBytes, \
            reservedBytes, and over the rounds after the first reuseRate and cacheHitRate from 0 to 1), touch, \
            rounds (nanoseconds, minorPageFaults, residentPeakBytes of each), residentBytesBefore, \
            residentPeakSource (round: each peak is that round's; process: of the process's life), \
            residentPeakBytes, residentGrowthBytes (what a pool took when it was made is in it), \
            residentGrowthOverPeakLive; and over the rounds after the first, nanosecondsPerEvent and \
            minorPageFaults (rounds, minimum, lowerQuartile, median, upperQuartile, maximum).

            Examples:
              tensor-pool replay trace.csv.gz
              tensor-pool replay profile.json.gz --pool jemalloc
              tensor-pool replay trace.csv.gz --configuration pool.json --rounds 1000 --seconds 5
              tensor-pool replay trace.csv --pool system --touch page --rounds 10 --format json
            """
    )

    @Argument(help: "The trace.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var file: String

    @Option(help: "The allocator.")
    var pool: PoolChoice = .adaptive

    @Option(help: "What is written into each block: nothing, a byte in every 4 KiB page, or every byte.")
    var touch: Touch = .page

    @Option(help: "How often the trace is replayed, 1 to 100000.")
    var rounds = 5

    @Option(help: "No round begins after so many seconds, but for the first three. (default: no such bound)")
    var seconds: Double?

    @Option(help: "A configuration file of the pool.", completion: .file(extensions: ["json"]))
    var configuration: String?

    @Option(help: "How the figures are printed.")
    var format: OutputFormat = .table

    func validate() throws {
        guard (1...100_000).contains(rounds) else {
            throw ValidationError("--rounds is 1 to 100000, not \(rounds).")
        }
        if let seconds, !(seconds > 0 && seconds <= 86_400) {
            throw ValidationError("--seconds is above 0, up to 86400, not \(seconds).")
        }
        if configuration != nil, PoolName(rawValue: pool.rawValue) == nil {
            throw ValidationError("--configuration is of a pool of this package, and --pool is \(pool.rawValue).")
        }
    }

    func run() throws {
        let progress = Progress()
        defer { progress.finish() }
        // A replay needs no details. What has to be read again, in another process, must not cost them either.
        let read = try TraceLoading(progress: progress).read(file, options: TraceFile.Options(details: []))
        let trace = read.trace
        let replay = TraceReplay(
            file: read, touch: touch, rounds: rounds, timeLimit: seconds.map { .seconds($0) },
            configuration: try configuration.map { try PoolConfigurationFile.read($0) })
        let outcome = try replay.run(on: pool) { progress.show("round \($0) of \(rounds)") }
        progress.finish()
        let output = ReplayOutput(file: file, trace: trace, pool: pool, touch: touch, outcome: outcome)
        switch format {
        case .table: print(output.text)
        case .json: print(try JSONOutput.text(output))
        }
    }
}
