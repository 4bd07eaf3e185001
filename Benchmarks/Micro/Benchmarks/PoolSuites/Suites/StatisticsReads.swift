import Benchmark
import TensorPool

/// Reading a pool's figures with no tensor and with 1,000 tensors of 4 KiB live: 100 reads an iteration.
enum StatisticsReads {
    private static let count = 100
    private static let liveByteCount = 4 << 10

    static func register() {
        register(.standard)
        register(.optimized)
        register(.adaptive)
    }

    private static func register<Pool>(_ subject: Subject<Pool>) {
        for liveCount in [0, 1000] {
            Benchmark(
                "statistics.\(subject.name).\(liveCount)-live",
                closure: { (benchmark: Benchmark, pool: Pool) in
                    benchmark.measure(operations: count) {
                        for _ in 0..<count { blackHole(pool.statistics()) }
                    }
                },
                setup: {
                    let pool = try subject.make()
                    // They live as long as the process, which ends with this benchmark.
                    for _ in 0..<liveCount { _ = try pool.allocateTensor(id: 1, byteCount: liveByteCount) }
                    return pool
                })
        }
    }
}
