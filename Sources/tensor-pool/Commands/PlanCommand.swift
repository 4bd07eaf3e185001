import AllocationTrace
import ArgumentParser
import Foundation
import TensorPool

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Plans where each tensor of a repeating workload lies in one slab.",
        discussion: """
            Reads a trace of any format that convert reads, or a minimalloc problem (CSV with id, lower, upper and \
            size), and gives each allocation an offset, so that no two that are alive together share a byte. No plan \
            can do with less than the lower bound: the most bytes alive at one time. Every plan is validated by a \
            checker that shares no code with the planners. The lowest one is written by -o: as JSON, which \
            StaticPlanLayout of the library loads, or where OUTPUT ends in .csv as the problem with a column offset.

            The searches stop at the capacity, or without one at the lower bound; else they take the whole time limit. \
            What was found in time, not how fast, follows from the seed.

            JSON keys: machine, file, items, lowerBoundBytes, alignment, capacityBytes (left out without one), seed; \
            results (algorithm, seconds, and unless it found no plan in time: peakBytes, overLowerBound as a share \
            from 0, fitsCapacity); best (algorithm and peakBytes).

            Exit codes: 0 done; 1 a file cannot be read or written, or no plan was found in time; 2 no plan fits the \
            capacity (the best is printed and written all the same); 64 wrong arguments.

            Examples:
              tensor-pool plan step.csv.gz -o plan.json
              tensor-pool plan A.1048576.csv --alignment 1 --capacity 1048576
              tensor-pool plan profile.json.gz --format csv
            """
    )

    @Argument(
        help: "The trace or problem; - is standard input.",
        completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var file: String

    @Option(help: "What every offset is a multiple of, in bytes: a power of two up to 2 MiB.")
    var alignment = 64

    @Option(help: "Bytes that are good enough. (default: the lower bound)")
    var capacity: Int?

    @Option(help: "Seconds for all algorithms together, above 0 up to 86400.")
    var timeLimit = 30.0

    @Option(help: "What the searches' random choices follow from.")
    var seed: UInt64 = 1

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    @Option(
        name: .shortAndLong, help: "Where the best plan is written.", completion: .file(extensions: ["json", "csv"]))
    var output: String?

    func validate() throws {
        guard alignment > 0, alignment <= 2 << 20, alignment & (alignment - 1) == 0 else {
            throw ValidationError("--alignment is a power of two from 1 to 2097152, not \(alignment).")
        }
        if let output, !output.hasSuffix(".csv"), alignment < 64 {
            throw ValidationError(
                "A plan in JSON is for tensors, which are aligned to 64 bytes: give --alignment 64 or more, or end '\(output)' in .csv."
            )
        }
        if output == FileName.stream {
            throw ValidationError("-o names a file: the figures go to standard output.")
        }
        if let capacity, capacity <= 0 { throw ValidationError("--capacity is at least 1, not \(capacity).") }
        guard timeLimit > 0, timeLimit <= 86_400 else {
            throw ValidationError("--time-limit is above 0 and at most 86400, not \(timeLimit).")
        }
    }

    func run() throws {
        let outputFile = output.map { OutputFile(path: $0, content: "the plan") }
        try outputFile?.check()
        let progress = Progress()
        defer { progress.finish() }
        let problem = try readProblem(progress)
        let planner = Planner(
            alignment: alignment, capacity: capacity, seed: seed, timeLimit: .seconds(timeLimit))
        let start = ContinuousClock.now
        let outcomes = planner.run(problem) { state in
            let elapsed = (ContinuousClock.now - start) / .seconds(1)
            if elapsed > 1 { progress.show(Self.line(state, elapsed: elapsed, limit: timeLimit)) }
        }
        progress.finish()
        for case let plan? in outcomes.map(\.plan) {
            try PlanChecker.check(problem, offsets: plan.offsets, alignment: alignment)
        }
        let best = outcomes.compactMap { outcome in outcome.plan.map { (outcome.algorithm, $0) } }
            .min { $0.1.byteCount < $1.1.byteCount }
        guard let best else { throw PlanFailure.noPlan(seconds: timeLimit) }
        if let outputFile { try PlanFile(problem: problem, plan: best.1, alignment: alignment).write(to: outputFile) }
        let report = PlanOutput(file: file, problem: problem, planner: planner, outcomes: outcomes)
        try report.print(as: format)
        if let capacity, best.1.byteCount > capacity { throw ExitCode(2) }
    }

    /// `planning by exact-search: 311.56 MiB so far, 1,200,000 steps a second, 40 %, 18 s left at most`
    static func line(_ state: PlanningProgress, elapsed: Double, limit: Double) -> String {
        let best = state.bestByteCount.map { " \(Figures.size($0)) so far," } ?? ""
        let seconds = state.duration / .seconds(1)
        let rate = seconds > 0 ? " \(Figures.count(Int(Double(state.stepCount) / seconds))) steps a second," : ""
        let remaining = Progress.remaining(done: min(elapsed, limit), of: limit, elapsed: elapsed)
        return "planning by \(state.algorithm.rawValue):\(best)\(rate) \(remaining) at most"
    }

    /// A minimalloc problem keeps its ids and the order of its rows.
    private func readProblem(_ progress: Progress) throws -> PlanningProblem {
        var options = TraceFile.Options()
        options.keepsProblem = true
        let read = try TraceLoading(progress: progress).read(file, options: options)
        try EmptyTrace.check(read)
        if let odd = read.trace.irregularities.line { StandardError.write("odd: \(odd)") }
        return try read.problem ?? PlanningProblem(read.trace)
    }
}

enum PlanFailure: Error, CustomStringConvertible {
    case noPlan(seconds: Double)

    var description: String {
        switch self {
        case .noPlan(let seconds): "no plan was found in \(Figures.decimal(seconds)) s: raise --time-limit"
        }
    }
}
