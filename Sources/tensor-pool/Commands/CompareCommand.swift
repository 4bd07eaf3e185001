import ArgumentParser

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares the pools on an inference and a training pattern, against the guide's targets.",
        discussion: """
            Repeats the allocations of a transformer's forward pass and of its training step, the same on every \
            machine, on the standard, optimized and adaptive pools. Targets: reuse above 90 % for inference, below \
            500 ns for an allocation and release of tensors up to 64 KiB, cache efficiency above 80 %. A target that \
            is missed is no failure of the command.

            JSON keys: machine, rounds, stepsPerRound; patterns (name, explanation, allocationsPerStep, peakLiveBytes, sizes); \
            results (pool, pattern, reuseRate and cacheEfficiency from 0 to 1, averageAllocationNanoseconds, left out \
            where nothing was sampled, samples, pairNanoseconds, smallPairNanoseconds, reservedBytes, \
            standardAllocations, optimizedAllocations); verdicts (pool, meetsAll, targets: name, promise, found, \
            direction, bound, unit, at, holds). Statistics are rounds, minimum, lowerQuartile, median, \
            upperQuartile, maximum.

            Exit codes: 0 done; 1 a measurement failed, or its figures could not be printed; 64 wrong arguments.

            Examples:
              tensor-pool compare
              tensor-pool compare --rounds 1000 --format json
            """
    )

    @Option(help: "How many rounds of ten steps each pool takes of each pattern, 1 to 10000.")
    var rounds = 100

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    func validate() throws {
        guard (1...10_000).contains(rounds) else {
            throw ValidationError("--rounds is 1 to 10000, not \(rounds).")
        }
    }

    func run() throws {
        let progress = Progress()
        defer { progress.finish() }
        let output = CompareOutput(rounds: rounds, try PoolComparison(rounds: rounds).run(progress: progress))
        progress.finish()
        try output.print(as: format)
    }
}
