import AllocationTrace
import TensorPool

/// What `tensor-pool gap --format json` prints. The keys are stable: later versions add keys and keep these.
struct GapOutput: Codable, Equatable, FigureOutput {
    /// One cell: what a pair of one size costs in one subject.
    struct Cell: Codable, Equatable {
        let subject: GapSubject
        let byteCount: Int
        let touch: Touch
        /// Nanoseconds an allocation and its release, over the rounds.
        let nanosecondsPerPair: RoundStatistics
    }

    /// What the adaptive pool chooses for a size after the measurement, and why.
    struct Choice: Codable, Equatable {
        let byteCount: Int
        let strategy: String
        let rule: AllocationRule
        /// In words, with the figures behind it.
        let reason: String
    }

    let machine: MachineDescription
    let jemalloc: String
    let systemMalloc: String
    let rounds: Int
    let budgetMilliseconds: Double
    let constructions: [ConstructionStatistics]
    let pairs: [Cell]
    let verdicts: [GapVerdict]
    let crossovers: [GapCrossover]
    let choices: [Choice]
    let targets: [TargetCheck]

    init(_ measurement: GapMeasurement, _ outcome: GapMeasurement.Outcome) {
        machine = .current
        jemalloc = "jemalloc \(JemallocBlock.version ?? "of unknown version")"
        systemMalloc = outcome.systemMalloc
        rounds = measurement.rounds
        budgetMilliseconds = measurement.budget / .milliseconds(1)
        constructions = outcome.constructions
        pairs = outcome.rows.compactMap { row in
            GapSubject(rawValue: row.candidate).map {
                Cell(
                    subject: $0, byteCount: row.pair.byteCount, touch: row.pair.touch,
                    nanosecondsPerPair: row.nanoseconds)
            }
        }
        verdicts = GapMeasurement.touches.flatMap { touch in
            measurement.sizes.compactMap {
                GapVerdict(outcome.rows, pair: PairMeasurement(byteCount: $0, touch: touch))
            }
        }
        crossovers = GapMeasurement.touches.map { [verdicts] in GapCrossover(verdicts, touch: $0) }
        choices = outcome.decisions.map {
            Choice(
                byteCount: $0.byteCount, strategy: $0.strategy.description, rule: $0.rule, reason: $0.reason)
        }
        targets = Self.targets(pairs: pairs, verdicts: verdicts, constructions: constructions)
    }

    /// The cell of a subject and size, if it was measured.
    func median(_ subject: GapSubject, _ byteCount: Int, _ touch: Touch) -> Double? {
        Self.median(pairs, subject, byteCount, touch)
    }

    private static func median(_ pairs: [Cell], _ subject: GapSubject, _ byteCount: Int, _ touch: Touch) -> Double? {
        pairs.first { $0.subject == subject && $0.byteCount == byteCount && $0.touch == touch }?
            .nanosecondsPerPair.median
    }

    /// The promises that this measurement can check. One whose size was not measured is left out.
    private static func targets(
        pairs: [Cell], verdicts: [GapVerdict], constructions: [ConstructionStatistics]
    ) -> [TargetCheck] {
        var checks: [TargetCheck] = []
        func worst(_ subject: GapSubject) -> Cell? {
            pairs.filter { $0.subject == subject && $0.touch == .none }
                .max { $0.nanosecondsPerPair.median < $1.nanosecondsPerPair.median }
        }
        if let cell = worst(.adaptive) {
            checks.append(
                TargetCheck(
                    "bufferPair", "adaptive TensorBuffer pair, any size", found: cell.nanosecondsPerPair.median,
                    .atMost, 10, unit: "ns", at: Figures.size(cell.byteCount)))
        }
        if let cell = worst(.adaptiveHandle) {
            checks.append(
                TargetCheck(
                    "handlePair", "adaptive MemoryHandle pair, any size", found: cell.nanosecondsPerPair.median,
                    .atMost, 20, unit: "ns", at: Figures.size(cell.byteCount)))
        }
        let regrets = verdicts.filter { $0.touch == .none }
        if let verdict = regrets.max(by: {
            $0.regretNanoseconds - $0.allowedRegretNanoseconds < $1.regretNanoseconds - $1.allowedRegretNanoseconds
        }) {
            checks.append(
                TargetCheck(
                    "regret", "adaptive beyond the better strategy, any size: 5 % + 2 ns",
                    found: verdict.regretNanoseconds, .atMost, verdict.allowedRegretNanoseconds, unit: "ns",
                    at: Figures.size(verdict.byteCount)))
        }
        let size = 16 << 20
        if let own = median(pairs, .adaptive, size, .page), let theirs = median(pairs, .jemalloc, size, .page) {
            checks.append(
                TargetCheck(
                    "touched16MiBAgainstJemalloc", "touched 16 MiB pair, jemalloc over adaptive",
                    found: theirs / own, .atLeast, 100, unit: "times", at: "16 MiB touched"))
        }
        if let own = median(pairs, .adaptive, size, .page), let theirs = median(pairs, .system, size, .page) {
            checks.append(
                TargetCheck(
                    "touched16MiBAgainstSystem", "touched 16 MiB pair, system's malloc over adaptive",
                    found: theirs / own, .above, 1, unit: "times", at: "16 MiB touched"))
        }
        if let slowest = constructions.max(by: { $0.nanoseconds.median < $1.nanoseconds.median }),
            let largest = constructions.max(by: { $0.residentBytes.median < $1.residentBytes.median })
        {
            checks.append(
                TargetCheck(
                    "constructionTime", "making a base and a pool, not prewarmed",
                    found: slowest.nanoseconds.median, .below, 1e6, unit: "ns", at: slowest.pool.rawValue))
            checks.append(
                TargetCheck(
                    "constructionResident", "resident memory that takes", found: largest.residentBytes.median, .below,
                    Double(1 << 20), unit: "bytes", at: largest.pool.rawValue))
        }
        return checks
    }
}
