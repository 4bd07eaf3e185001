import AllocationTrace
import TensorPool

/// The guide's comparison of the pools, on patterns of known shape.
struct PoolComparison {
    /// What one pool made of one pattern.
    struct Result {
        let pool: PoolName
        let pattern: WorkloadPattern
        let summary: TraceSummary
        /// The pool's own account of the whole run, the first, cold round included.
        let metrics: PerformanceMetrics
        /// Nanoseconds an allocation and its release by the clock, over the rounds.
        let pairNanoseconds: RoundStatistics
        /// The same of the small tensors alone.
        let smallPairNanoseconds: RoundStatistics
    }

    /// Tensors up to this many bytes count as small: 64 KiB, the end of the guide's category Small.
    static let smallCeiling = TensorSizeCategory.small.maximumByteCount

    /// How often a round repeats a pattern's step: what surrounds a round must not weigh in it.
    static let stepsPerRound = 10

    /// Above 0.
    let rounds: Int

    /// Every round is taken by every pool, and each time another pool goes first.
    func run(progress: Progress) throws -> [Result] {
        try WorkloadPattern.all.flatMap { pattern -> [Result] in
            let subjects: [any PatternSubject] = [
                try replay(pattern, on: TensorMemoryPool.self),
                try replay(pattern, on: OptimizedTensorMemoryPool.self),
                try replay(pattern, on: AdaptiveTensorMemoryPool.self),
            ]
            let pairs = try takeTurns(subjects, progress, pattern.name) { try $0.runRound() }
            // Before the small tensors alone: what the pool tells is of the whole pattern.
            let metrics = subjects.map { $0.metrics() }
            let small = try takeTurns(subjects, progress, "\(pattern.name), small tensors") {
                try $0.runSmallRound()
            }
            let summary = try pattern.trace(steps: 1).summary
            return subjects.indices.compactMap { index in
                guard let all = RoundStatistics(pairs[index]), let few = RoundStatistics(small[index]) else {
                    return nil
                }
                return Result(
                    pool: subjects[index].pool, pattern: pattern, summary: summary, metrics: metrics[index],
                    pairNanoseconds: all, smallPairNanoseconds: few)
            }
        }
    }

    private func replay<Pool: MeasuredPool>(
        _ pattern: WorkloadPattern, on _: Pool.Type
    ) throws -> PatternReplay<Pool> {
        try PatternReplay(pattern, stepsPerRound: Self.stepsPerRound, smallCeiling: Self.smallCeiling)
    }

    private func takeTurns(
        _ subjects: [any PatternSubject], _ progress: Progress, _ what: String,
        _ work: (any PatternSubject) throws -> Double
    ) rethrows -> [[Double]] {
        var figures = [[Double]](repeating: [], count: subjects.count)
        for round in 0..<rounds {
            if round % 16 == 0 { progress.show(what, round, of: rounds, "round") }
            for turn in subjects.indices {
                let index = (turn + round) % subjects.count
                figures[index].append(try work(subjects[index]))
            }
        }
        return figures
    }
}
