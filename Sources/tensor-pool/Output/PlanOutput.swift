import AllocationTrace
import Foundation

/// What `plan` prints.
struct PlanOutput: Codable, FigureOutput {
    struct Result: Codable {
        let algorithm: PlanningAlgorithm
        let seconds: Double
        /// Nil where there was no plan in time.
        let peakBytes: Int?
        /// The peak over the lower bound, less 1.
        let overLowerBound: Double?
        /// Nil without a capacity.
        let fitsCapacity: Bool?
    }

    struct Best: Codable {
        let algorithm: PlanningAlgorithm
        let peakBytes: Int
    }

    let machine: MachineDescription
    let file: String
    let items: Int
    let lowerBoundBytes: Int
    let alignment: Int
    let capacityBytes: Int?
    let seed: UInt64
    let results: [Result]
    /// The lowest plan; of the same height, the first.
    let best: Best?

    init(file: String, problem: PlanningProblem, planner: Planner, outcomes: [PlanningOutcome]) {
        machine = .current
        self.file = file
        items = problem.items.count
        let bound = problem.peakLiveBytes
        lowerBoundBytes = bound
        alignment = planner.alignment
        capacityBytes = planner.capacity
        seed = planner.seed
        results = outcomes.map { outcome in
            let peak = outcome.plan?.byteCount
            return Result(
                algorithm: outcome.algorithm, seconds: outcome.duration / .seconds(1), peakBytes: peak,
                overLowerBound: peak.map { Double($0 - bound) / Double(max(1, bound)) },
                fitsCapacity: planner.capacity.flatMap { capacity in peak.map { $0 <= capacity } })
        }
        best = results.compactMap { result in
            result.peakBytes.map { Best(algorithm: result.algorithm, peakBytes: $0) }
        }
        .min { $0.peakBytes < $1.peakBytes }
    }
}

extension PlanOutput {
    /// For people: the problem, a table of algorithms, and the best plan.
    var text: String {
        [
            "Problem  \(FileName.input(file)): \(Figures.count(items)) tensors, "
                + "at most \(size(lowerBoundBytes)) alive: the lower bound",
            "Plans    offsets in multiples of \(Figures.size(alignment)), seed \(seed), each validated by the checker",
            "Machine  \(machine.line)", "", table, "", summary,
        ]
        .joined(separator: "\n")
    }

    /// A header and a row for each algorithm.
    var commaSeparated: String {
        let rows = results.map { result in
            [
                result.algorithm.rawValue, result.peakBytes.map(String.init) ?? "",
                result.overLowerBound.map { "\($0)" } ?? "", result.fitsCapacity.map(String.init) ?? "",
                "\(result.seconds)",
            ].joined(separator: ",")
        }
        return (["algorithm,peakBytes,overLowerBound,fitsCapacity,seconds"] + rows).joined(separator: "\n")
    }

    private var table: String {
        var table = FigureTable([
            .text("algorithm"), .number("peak bytes"), .number("over bound"), .number("seconds"), .text("how"),
        ])
        for result in results {
            table.append([
                result.algorithm.rawValue, result.peakBytes.map(Figures.count) ?? "none in time",
                result.overLowerBound.map(Self.percent) ?? "", Figures.decimal(result.seconds),
                result.algorithm.summary,
            ])
        }
        return table.text
    }

    private var summary: String {
        guard let best else { return "No plan was found in time." }
        let over = Double(best.peakBytes - lowerBoundBytes) / Double(max(1, lowerBoundBytes))
        let head =
            "Best: \(best.algorithm.rawValue), \(size(best.peakBytes)), \(Self.percent(over)) over the lower bound"
        guard let capacityBytes else { return head + "." }
        let distance = best.peakBytes - capacityBytes
        return distance <= 0
            ? "\(head); fits the capacity of \(Figures.count(capacityBytes)) bytes."
            : "\(head); \(Figures.count(distance)) bytes above the capacity of \(Figures.count(capacityBytes)) bytes."
    }

    private func size(_ bytes: Int) -> String { "\(Figures.count(bytes)) bytes (\(Figures.mebibytes(bytes)) MiB)" }

    /// With two digits: the best plans are a fraction of a percent apart.
    private static func percent(_ share: Double) -> String {
        (share * 100).formatted(.number.precision(.fractionLength(2)).locale(.init(identifier: "en_US"))) + " %"
    }
}
