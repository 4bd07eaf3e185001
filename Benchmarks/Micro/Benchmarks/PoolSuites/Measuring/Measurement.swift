import Benchmark
import CMeasurement

extension BenchmarkMetric {
    /// Processor time of the measuring thread: what other processes take from it does not count. The package's own
    /// `cpuTotal` counts in scheduler ticks of 10 ms, longer than most iterations are.
    static var processorTime: BenchmarkMetric { .custom("CPU (ps an operation)") }

    /// Bytes that the measuring thread allocated of the process's heap, where Swift's objects lie.
    static var heapBytes: BenchmarkMetric { .custom("Swift heap (bytes)") }
}

extension BenchmarkThresholds {
    /// How much worse than the kept figure the ninth decile may be. A shared machine takes up to half of a processor's
    /// speed and most of its time: only what is far beyond that is a finding. What is better never fails.
    static var wide: [BenchmarkMetric: BenchmarkThresholds] {
        [.wallClock: .init(relative: [.p90: 1900]), .processorTime: .init(relative: [.p90: 400])]
    }
}

extension Benchmark {
    /// Measures `body`, which does so many operations. What comes before and after it in an iteration does not count.
    @inline(__always)
    func measure(operations: Int, _ body: () throws -> Void) rethrows {
        startMeasurement()
        let start = tpb_processor_nanoseconds()
        try body()
        let taken = tpb_processor_nanoseconds() - start
        stopMeasurement()
        measurement(.processorTime, Int(taken) * 1000 / operations)
    }
}
