import Benchmark
import TensorPool

/// Making memory ready after a trim, all of it touched by the pool: one call an iteration, the trim not measured.
enum Prewarming {
    static func register() {
        register("blocks.1MiB", .init(verySmall: 256 << 10, small: 768 << 10, medium: 0, large: 0))
        register("spans.64MiB", .init(medium: 0, large: 64 << 20))
        register("spans.512MiB", .init(medium: 0, large: 512 << 20))
    }

    private static func register(_ place: String, _ amounts: OptimizedTensorPoolConfig.Prewarming) {
        // Registration runs on one thread.
        var configuration = unsafe Benchmark.defaultConfiguration
        configuration.warmupIterations = 1
        configuration.maxDuration = .milliseconds(500)
        Benchmark(
            "prewarm.optimized.\(place)", configuration: configuration,
            closure: { (benchmark: Benchmark, pool: OptimizedTensorMemoryPool) in
                pool.trim()
                try benchmark.measure(operations: 1) { try pool.prewarm(amounts) }
            }, setup: Subject.bare.make)
    }
}
