import AllocationTrace
import ArgumentParser

struct MainJobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "main-job",
        abstract: "Measures the gap, replays a trace on four allocators, and says what it means.",
        discussion: """
            What `make run` runs: the measurement of `tensor-pool gap`, then the trace on the adaptive and the \
            standard pool, jemalloc and the system's malloc, with a byte written in every page, each in a process of \
            its own; and a summary in words with this run's figures.

            JSON keys: gap (as `tensor-pool gap` prints it), replays (each as `tensor-pool replay` prints it), summary \
            (sentences).

            Exit codes: 0 done; 1 the file cannot be read, or a measurement or a replay failed; 64 wrong arguments.

            Examples:
              tensor-pool main-job Benchmarks/Traces/train_transformer.tensor.csv.gz
              tensor-pool main-job trace.csv.gz --quick --format json
            """
    )

    @Argument(
        help: "The trace, in any format that `tensor-pool replay` reads.",
        completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var file: String

    @OptionGroup var effort: GapEffort

    @Option(help: "How often the trace is replayed on each allocator, 2 to 1000. (default: 7, with --quick 2)")
    var replayRounds: Int?

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    func validate() throws {
        if let replayRounds, !(2...1000).contains(replayRounds) {
            throw ValidationError("--replay-rounds is 2 to 1000, not \(replayRounds).")
        }
    }

    func run() throws {
        // A file that is none must not cost the reader half a minute.
        let progress = Progress()
        defer { progress.finish() }
        let read = try TraceLoading(progress: progress).read(file, options: TraceFile.Options(details: []))
        try EmptyTrace.check(read)
        // Each replay reads it in a process of its own.
        let rereadable = try RereadableTrace(read)
        let gap = try effort.measure(progress: progress)
        progress.finish()
        let rounds = replayRounds ?? (effort.quick ? 2 : 7)
        let replays = try MainJobOutput.pools.enumerated().map { number, pool in
            progress.show("replaying", on: pool.rawValue, number, of: MainJobOutput.pools.count, "allocator")
            var replay = try OwnProcess.run(
                [
                    "replay", "--pool", pool.rawValue, "--touch", Touch.page.rawValue, "--rounds", "\(rounds)",
                    "--latency-rounds", "0", "--format", "json", "--", rereadable.path,
                ], printing: ReplayOutput.self)
            replay.file = file
            return replay
        }
        progress.finish()
        let output = MainJobOutput(gap: gap, replays: replays)
        try output.print(as: format)
    }
}
