import TensorPool

/// What `tensor-pool demo --format json` prints. The keys are stable: later versions add keys and keep these.
struct DemoOutput: Codable, Equatable, FigureOutput {
    struct Decision: Codable, Equatable {
        let byteCount: Int
        /// `activation`, `temporary` or `weight`.
        let use: String
        /// What it was before the stage: `standard` or `optimized`.
        let strategyBefore: String
        let strategy: String
        let rule: AllocationRule
        /// In words, with the figures behind it.
        let reason: String

        init(_ use: TensorRole, before: AllocationDecision, after: AllocationDecision) {
            byteCount = after.byteCount
            self.use = "\(use)"
            strategyBefore = before.strategy.description
            strategy = after.strategy.description
            rule = after.rule
            reason = after.reason
        }
    }

    struct Stage: Codable, Equatable {
        /// `weights`, `inference` or `training`.
        let name: String
        let explanation: String
        let allocations: Int
        /// Of this stage alone, 0 to 1.
        let reuseRate: Double
        let cacheHitRate: Double
        let decisions: [Decision]
    }

    struct Recommendation: Codable, Equatable {
        let kind: PoolRecommendation.Kind
        let finding: String
        let advice: String
    }

    struct Trim: Codable, Equatable {
        /// What was alive when it was called.
        let liveBytes: Int
        let releasedBytes: Int
        /// By how much resident memory fell; nil, and no key, where the system does not tell.
        let residentBytesReturned: Int?

        init(_ result: TrimResult, liveBytes: Int) {
            self.liveBytes = liveBytes
            releasedBytes = result.releasedBytes
            residentBytesReturned = result.residentBytesReturned
        }
    }

    let machine: MachineDescription
    let steps: Int
    let stages: [Stage]
    let recommendations: [Recommendation]
    /// With the weights alive, and after they were freed.
    let trims: [Trim]

    /// Walks a new pool through all stages.
    init(steps: Int, progress: Progress) throws {
        var walk = try DemoWalk()
        var stages: [Stage] = []
        progress.show("loading weights")
        let weights = try walk.loadWeights()
        stages.append(Self.stage(of: weights, in: walk.pool))
        for pattern in WorkloadPattern.all {
            stages.append(Self.stage(of: try walk.repeatSteps(steps, of: pattern, progress: progress)))
        }
        machine = .current
        self.steps = steps
        self.stages = stages
        recommendations = walk.pool.recommendations().map {
            Recommendation(kind: $0.kind, finding: $0.finding, advice: $0.advice)
        }
        let liveBytes = walk.pool.statistics().liveBytes
        let first = Trim(walk.pool.trim(), liveBytes: liveBytes)
        try walk.free(weights.map(\.handle))
        trims = [first, Trim(walk.pool.trim(), liveBytes: walk.pool.statistics().liveBytes)]
    }

    private static func stage(
        of weights: [(handle: MemoryHandle, decision: AllocationDecision)], in pool: AdaptiveTensorMemoryPool
    ) -> Stage {
        let rates = pool.statistics().rates(since: PoolStatistics())
        return Stage(
            name: "weights", explanation: "a model's weights, allocated once with isModelWeight and kept",
            allocations: weights.count, reuseRate: rates.reuse, cacheHitRate: rates.cacheHit,
            decisions: weights.map { Decision(.weight, before: $0.decision, after: $0.decision) })
    }

    private static func stage(of visit: DemoWalk.Visit) -> Stage {
        Stage(
            name: visit.pattern.name, explanation: visit.pattern.explanation, allocations: visit.allocations,
            reuseRate: visit.reuseRate, cacheHitRate: visit.cacheHitRate,
            decisions: visit.decisions.map { Decision($0.use, before: $0.before, after: $0.after) })
    }
}
