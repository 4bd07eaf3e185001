/// How far a run of a ``Planner`` is.
public struct PlanningProgress: Sendable, Equatable {
    /// What runs now.
    public let algorithm: PlanningAlgorithm
    /// About how many steps it has taken: items placed, or, in a local search, changes of an order.
    public let stepCount: Int
    /// Since this algorithm began.
    public let duration: Duration
    /// The bytes of the lowest plan that an earlier algorithm found; nil where there is none.
    public let bestByteCount: Int?

    package init(algorithm: PlanningAlgorithm, stepCount: Int, duration: Duration, bestByteCount: Int?) {
        self.algorithm = algorithm
        self.stepCount = stepCount
        self.duration = duration
        self.bestByteCount = bestByteCount
    }
}

/// Tells the algorithms of one run when their time is over, and who asked how far they are.
final class PlanningWatch {
    typealias Instant = ContinuousClock.Instant

    private static let interval = Duration.milliseconds(500)

    private let onProgress: (PlanningProgress) -> Void
    private let clock = ContinuousClock()
    private var algorithm = PlanningAlgorithm.firstFit
    private var stepCount = 0
    private var start: Instant
    private var nextReport: Instant
    var bestByteCount: Int?

    init(onProgress: @escaping (PlanningProgress) -> Void) {
        self.onProgress = onProgress
        start = clock.now
        nextReport = start
    }

    /// From now on it is this algorithm.
    func begin(_ algorithm: PlanningAlgorithm) {
        self.algorithm = algorithm
        stepCount = 0
        start = clock.now
        report(at: start)
    }

    /// Whether an algorithm that took so many more steps has to stop.
    func isOver(_ deadline: Instant, steps: Int) -> Bool {
        stepCount += steps
        let now = clock.now
        if now >= nextReport { report(at: now) }
        return now >= deadline
    }

    private func report(at now: Instant) {
        nextReport = now.advanced(by: Self.interval)
        onProgress(
            PlanningProgress(
                algorithm: algorithm, stepCount: stepCount, duration: start.duration(to: now),
                bestByteCount: bestByteCount))
    }
}
