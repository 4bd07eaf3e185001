import AllocationTrace
import TensorPool

/// A pool at work on a pattern, its kind hidden: what the comparison of pools takes turns on.
protocol PatternSubject: AnyObject {
    var pool: PoolName { get }
    /// Nanoseconds an allocation and its release took in this round, on average.
    func runRound() throws -> Double
    /// The same of the small tensors alone.
    func runSmallRound() throws -> Double
    func metrics() -> PerformanceMetrics
}

/// A pool in its default configuration that repeats a pattern.
final class PatternReplay<Pool: MeasuredPool>: PatternSubject {
    private let instance: Pool
    private var whole: Replay<TensorBufferBlock<Pool>>
    private var small: Replay<TensorBufferBlock<Pool>>

    /// - Parameters:
    ///   - stepsPerRound: how often a round repeats the pattern's step.
    ///   - smallCeiling: bytes up to which a tensor counts as small.
    init(_ pattern: WorkloadPattern, stepsPerRound: Int, smallCeiling: Int) throws {
        instance = try Pool.make(isPrewarmed: true)
        whole = try Replay(pattern.trace(steps: stepsPerRound), on: instance, touch: .none)
        small = try Replay(pattern.trace(steps: stepsPerRound, upTo: smallCeiling), on: instance, touch: .none)
    }

    var pool: PoolName { Pool.name }

    func runRound() throws -> Double {
        Double(try whole.runRound().nanoseconds) / Double(whole.trace.summary.allocationCount)
    }

    func runSmallRound() throws -> Double {
        Double(try small.runRound().nanoseconds) / Double(small.trace.summary.allocationCount)
    }

    func metrics() -> PerformanceMetrics { instance.performanceMetrics() }
}
