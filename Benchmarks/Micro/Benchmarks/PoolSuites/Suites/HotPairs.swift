import Benchmark
import TensorPool

/// One tensor at a time of one size, allocated and freed on one thread, warm and untouched: 10,000 pairs an iteration.
enum HotPairs {
    private static let count = 10_000
    static let sizes = [64, 1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20]

    static func register() {
        register(.standard)
        register(.optimized)
        register(.adaptive)
        for profile in Subject.profiles() { register(profile) }
    }

    private static func register<Pool>(_ subject: Subject<Pool>) {
        for form in TensorForm.allCases {
            for byteCount in sizes {
                Benchmark(
                    "hot-pair.\(subject.name).\(form).\(name(ofByteCount: byteCount))",
                    closure: { (benchmark: Benchmark, pool: Pool) in
                        try benchmark.measure(operations: count) {
                            try form.pairs(count, byteCount: byteCount, on: pool)
                        }
                    }, setup: subject.make)
            }
        }
    }
}
