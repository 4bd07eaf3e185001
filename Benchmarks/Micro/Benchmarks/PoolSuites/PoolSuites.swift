import Benchmark

/// The suites, in the order in which they are registered. Each benchmark runs in a process of its own.
let benchmarks: @Sendable () -> Void = {
    // Registration runs on one thread, before any benchmark.
    unsafe Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .processorTime],
        timeUnits: .nanoseconds,
        warmupIterations: 3,
        maxDuration: .milliseconds(100),
        maxIterations: 1000,
        thresholds: BenchmarkThresholds.wide)
    HotPairs.register()
    ColdPairs.register()
    Batches.register()
    Reallocations.register()
    Prewarming.register()
    StatisticsReads.register()
    HeapGuards.register()
}
