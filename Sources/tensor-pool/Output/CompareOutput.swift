import AllocationTrace
import TensorPool

/// What `tensor-pool compare --format json` prints. The keys are stable: later versions add keys and keep these.
struct CompareOutput: Codable, Equatable, FigureOutput {
    struct Pattern: Codable, Equatable {
        let name: String
        let explanation: String
        let allocationsPerStep: Int
        let peakLiveBytes: Int
        let sizes: [Int]
    }

    struct Result: Codable, Equatable {
        let pool: PoolName
        let pattern: String
        /// The share of allocations served without new memory, 0 to 1, the first round included.
        let reuseRate: Double
        /// The share of allocations served by the thread's own cache, 0 to 1, the first round included.
        let cacheEfficiency: Double
        /// The pool's own sampled average of an allocation, without its release; nil, and no key, without a sample.
        let averageAllocationNanoseconds: Double?
        let samples: Int
        /// An allocation and its release by the clock, over the rounds.
        let pairNanoseconds: RoundStatistics
        /// The same of tensors up to 64 KiB alone.
        let smallPairNanoseconds: RoundStatistics
        /// What the pool holds after the last round: live, padding, cached and prewarmed bytes.
        let reservedBytes: Int
        let standardAllocations: Int
        let optimizedAllocations: Int
    }

    /// The guide's three targets, for one pool.
    struct Verdict: Codable, Equatable {
        let pool: PoolName
        let targets: [TargetCheck]
        let meetsAll: Bool
    }

    let machine: MachineDescription
    let rounds: Int
    let stepsPerRound: Int
    let patterns: [Pattern]
    let results: [Result]
    let verdicts: [Verdict]

    init(rounds: Int, _ outcome: [PoolComparison.Result]) {
        machine = .current
        self.rounds = rounds
        stepsPerRound = PoolComparison.stepsPerRound
        patterns = WorkloadPattern.all.compactMap { pattern in
            outcome.first { $0.pattern.name == pattern.name }.map {
                Pattern(
                    name: pattern.name, explanation: pattern.explanation,
                    allocationsPerStep: $0.summary.allocationCount, peakLiveBytes: $0.summary.peakLiveBytes,
                    sizes: pattern.distinctSizes)
            }
        }
        results = outcome.map {
            let statistics = $0.metrics.statistics
            return Result(
                pool: $0.pool, pattern: $0.pattern.name, reuseRate: $0.metrics.reuseRate,
                cacheEfficiency: $0.metrics.cacheEfficiency,
                averageAllocationNanoseconds: $0.metrics.averageAllocationNanoseconds,
                samples: $0.metrics.sampleCount, pairNanoseconds: $0.pairNanoseconds,
                smallPairNanoseconds: $0.smallPairNanoseconds, reservedBytes: statistics.reservedBytes,
                standardAllocations: statistics.allocationsByStrategy[.standard, default: 0],
                optimizedAllocations: statistics.allocationsByStrategy[.optimized, default: 0])
        }
        verdicts = PoolName.allCases.map { [results] in Self.verdict($0, results) }
    }

    private static func verdict(_ pool: PoolName, _ results: [Result]) -> Verdict {
        let own = results.filter { $0.pool == pool }
        var targets: [TargetCheck] = []
        if let inference = own.first(where: { $0.pattern == WorkloadPattern.inference.name }) {
            targets.append(
                TargetCheck(
                    "reuse", "reuse rate for inference", found: inference.reuseRate, .above, 0.9, unit: "share",
                    at: inference.pattern))
        }
        if let slowest = own.max(by: { $0.smallPairNanoseconds.median < $1.smallPairNanoseconds.median }) {
            targets.append(
                TargetCheck(
                    "smallTensors", "small tensor, allocated and freed", found: slowest.smallPairNanoseconds.median,
                    .below, 500, unit: "ns", at: slowest.pattern))
        }
        for result in own {
            targets.append(
                TargetCheck(
                    "cacheEfficiency", "cache efficiency", found: result.cacheEfficiency, .above, 0.8,
                    unit: "share", at: result.pattern))
        }
        return Verdict(pool: pool, targets: targets, meetsAll: targets.allSatisfy(\.holds))
    }
}
