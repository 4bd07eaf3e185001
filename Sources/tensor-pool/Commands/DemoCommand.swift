import ArgumentParser

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Shows what the adaptive pool chooses, and why.",
        discussion: """
            Loads a model's weights into an adaptive pool, repeats a forward pass and a training step with handles, \
            and tells for each size where its tensors went, by which rule, and the figures behind it; then what the \
            pool recommends, and what a trim gives back with the weights alive and without them.

            JSON keys: machine, steps; stages (name: weights, inference, training; explanation, allocations, \
            reuseRate and cacheHitRate from 0 to 1, decisions: byteCount, use, strategyBefore, strategy, rule, \
            reason); recommendations (kind, finding, advice); trims (liveBytes, releasedBytes, residentBytesReturned, \
            left out where the system does not tell).

            Exit codes: 0 done; 1 the pool failed, or its figures could not be printed; 64 wrong arguments.

            Examples:
              tensor-pool demo
              tensor-pool demo --steps 1000 --format json
            """
    )

    @Option(help: "How often each pattern's step is repeated, 1 to 100000.")
    var steps = 200

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    func validate() throws {
        guard (1...100_000).contains(steps) else {
            throw ValidationError("--steps is 1 to 100000, not \(steps).")
        }
    }

    func run() throws {
        let progress = Progress()
        defer { progress.finish() }
        let output = try DemoOutput(steps: steps, progress: progress)
        progress.finish()
        try output.print(as: format)
    }
}
