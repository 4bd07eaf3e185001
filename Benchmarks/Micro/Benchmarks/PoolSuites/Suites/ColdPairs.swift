import Benchmark
import CMeasurement
import TensorPool

/// One tensor, allocated and freed after a trim, with one byte written in every 4 KiB page or untouched: one pair an
/// iteration, the trim not measured.
enum ColdPairs {
    private static let sizes = [1 << 10, 256 << 10, 4 << 20, 64 << 20]

    static func register() {
        register(.standard)
        register(.optimized)
        register(.adaptive)
    }

    private static func register<Pool>(_ subject: Subject<Pool>) {
        for isTouched in [false, true] {
            for byteCount in sizes {
                let use = isTouched ? "touched" : "untouched"
                Benchmark(
                    "cold-pair.\(subject.name).\(use).\(name(ofByteCount: byteCount))",
                    closure: { (benchmark: Benchmark, pool: Pool) in
                        pool.trim()
                        try benchmark.measure(operations: 1) {
                            let buffer = try pool.allocate(byteCount: byteCount)
                            if isTouched {
                                unsafe tpb_touch_pages(buffer.baseAddress, Int64(byteCount))
                            } else {
                                unsafe tpb_use(buffer.baseAddress)
                            }
                            free(buffer)
                        }
                    }, setup: subject.make)
            }
        }
    }
}
