import ArgumentParser

struct GapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gap",
        abstract: "Resolves the performance gap: what an allocation costs in each pool, by size.",
        discussion: """
            Measures an allocation and its release from 1 KiB to 64 MiB in the standard, optimized and adaptive pools \
            (TensorBuffer, and the adaptive pool's MemoryHandle), in jemalloc as it comes, and in the system's malloc \
            in a helper process; untouched, and with a byte written in every page. Prints what making a pool costs, \
            the gap between the strategies, which wins where, what the adaptive pool chooses and why, its regret, and \
            whether the project's promises hold on this machine. A promise that does not hold is no failure of the \
            command. The default takes about half a minute, --quick a few seconds and is coarser.

            JSON keys: machine, jemalloc, systemMalloc, rounds, budgetMilliseconds; constructions (pool; nanoseconds, \
            residentBytes, prewarmNanoseconds, prewarmResidentBytes); pairs (subject: standard, optimized, adaptive, \
            adaptiveHandle, jemalloc, system; byteCount, touch: none, page; nanosecondsPerPair); verdicts (byteCount, \
            touch, winner: standard, optimized, or equal, which is within 5 % + 2 ns or undecided among the rounds; \
            gapPercent: how much longer \
            standard takes than optimized; regretNanoseconds, regretPercent, allowedRegretNanoseconds); crossovers \
            (touch, optimizedFromBytes, notAtBytes, each left out where there is none); choices (byteCount, strategy, \
            rule, reason); targets (name, promise, found, direction, bound, unit, at, holds). Statistics are rounds, \
            minimum, lowerQuartile, median, upperQuartile, maximum.

            Exit codes: 0 done; 1 a measurement failed, or its figures could not be printed; 64 wrong arguments.

            Examples:
              tensor-pool gap
              tensor-pool gap --quick
              tensor-pool gap --rounds 21 --budget 20 --format json
            """
    )

    @OptionGroup var effort: GapEffort

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    func run() throws {
        let progress = Progress()
        defer { progress.finish() }
        let output = try effort.measure(progress: progress)
        progress.finish()
        try output.print(as: format)
    }
}

/// How long the measurement of the gap takes, as options.
///
/// By default many short rounds rather than few long ones: a sample of a millisecond mostly escapes what else runs
/// on the machine, and the median sets aside those that do not.
struct GapEffort: ParsableArguments {
    @Option(help: "How many rounds, 1 to 1000. (default: 75, with --quick 5)")
    var rounds: Int?

    @Option(help: "About how many milliseconds each sample takes, above 0 to 1000. (default: 1, with --quick 0.2)")
    var budget: Double?

    @Flag(help: "Measure coarsely, in seconds.")
    var quick = false

    func validate() throws {
        if let rounds, !(1...1000).contains(rounds) {
            throw ValidationError("--rounds is 1 to 1000, not \(rounds).")
        }
        if let budget, !(budget > 0 && budget <= 1000) {
            throw ValidationError("--budget is above 0 to 1000 milliseconds, not \(budget).")
        }
    }

    func measure(progress: Progress) throws -> GapOutput {
        let measurement = GapMeasurement(
            sizes: PairComparison.sizes, rounds: rounds ?? (quick ? 5 : 75),
            budget: .microseconds((budget ?? (quick ? 0.2 : 1)) * 1000), constructions: quick ? 3 : 9)
        return GapOutput(measurement, try measurement.run(progress: progress))
    }
}
