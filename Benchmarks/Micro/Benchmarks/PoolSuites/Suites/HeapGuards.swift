import Benchmark
import Jemalloc
import TensorPool

/// What must not take memory of the process's heap, where Swift's objects lie: each takes 0 bytes or fails the run.
enum HeapGuards {
    private static let count = 100_000

    static func register() {
        let small = HotPairs.sizes.filter { $0 <= 32 << 10 }
        // Larger tensors of the standard strategy come from jemalloc each time.
        registerHits(.standard, sizes: small)
        // From 32 KiB to 1 MiB the strategy is decided by measurement, which tries the standard one as well.
        registerHits(.adaptive, sizes: small + HotPairs.sizes.filter { $0 > 1 << 20 })
        registerHits(.optimized, sizes: HotPairs.sizes)
        // A look at the system's memory pressure, at most one in 100 ms, reads files of the kernel's into strings. It is no
        // part of a hit, and would come in the middle of them where hits are sampled (training).
        for profile in Subject.profiles(looksAtPressure: false) { registerHits(profile, sizes: HotPairs.sizes) }
        registerSpanMisses()
    }

    private static var configuration: Benchmark.Configuration {
        // Registration runs on one thread.
        var configuration = unsafe Benchmark.defaultConfiguration
        configuration.metrics = [.heapBytes]
        configuration.thresholds = [.heapBytes: .init(absolute: [.p90: 0])]
        configuration.warmupIterations = 0
        configuration.maxIterations = 1
        return configuration
    }

    /// 100,000 hot pairs of each size, all of them served by the thread's cache.
    private static func registerHits<Pool>(_ subject: Subject<Pool>, sizes: [Int]) {
        for form in TensorForm.allCases {
            Benchmark(
                "guard.hits.\(subject.name).\(form)", configuration: configuration,
                closure: { (benchmark: Benchmark, pool: Pool) in
                    var sum = 0
                    var findings: [String] = []
                    for byteCount in sizes {
                        try form.pairs(10_000, byteCount: byteCount, on: pool)
                        let hits = pool.statistics().cacheHits
                        // Reading the figures empties the caches' counters, which the next pair may notice.
                        try form.pairs(1, byteCount: byteCount, on: pool)
                        let bytes = try heapBytes { try form.pairs(count, byteCount: byteCount, on: pool) }
                        let newHits = pool.statistics().cacheHits - hits
                        if newHits < count || bytes != 0 {
                            let size = name(ofByteCount: byteCount)
                            findings.append("\(size): \(newHits) hits in \(count) pairs, \(bytes) bytes of the heap")
                        }
                        sum += bytes
                    }
                    benchmark.measurement(.heapBytes, sum)
                    if !findings.isEmpty { benchmark.error("\(benchmark.name): " + findings.joined(separator: "; ")) }
                }, setup: subject.make)
        }
    }

    /// 100,000 tensors that the span heap has to find memory for: two of 1 MiB in turn with 20 MiB live, so that the
    /// heap is too large for a thread to keep spans of that size.
    private static func registerSpanMisses() {
        Benchmark(
            "guard.span-misses.optimized.buffer", configuration: configuration,
            closure: { (benchmark: Benchmark, pool: OptimizedTensorMemoryPool) in
                let live = try (0..<20).map { _ in try pool.allocateTensor(id: 1, byteCount: 1 << 20) }
                // Past the first cold path, which measures what its clock costs.
                try allocateTwoInTurn(10_000, on: pool)
                let before = pool.statistics()
                let bytes = try heapBytes { try allocateTwoInTurn(count, on: pool) }
                let after = pool.statistics()
                let misses = after.allocations - before.allocations - (after.cacheHits - before.cacheHits)
                if misses < count || bytes != 0 {
                    benchmark.error("\(benchmark.name): \(bytes) bytes of the heap in \(misses) misses")
                }
                benchmark.measurement(.heapBytes, bytes)
                for handle in live { try pool.deallocateTensor(id: 1, handle) }
            }, setup: Subject.bare.make)
    }

    @inline(never)
    private static func allocateTwoInTurn(_ count: Int, on pool: some TensorAllocator) throws {
        for _ in 0..<count {
            let first = try pool.allocate(byteCount: 1 << 20)
            let second = try pool.allocate(byteCount: 1 << 20)
            free(first)
            free(second)
        }
    }

    /// Bytes that this thread allocates of the process's heap while `body` runs: where jemalloc is linked, all of
    /// malloc is counted there.
    private static func heapBytes(_ body: () throws -> Void) throws -> Int {
        let allocated = try ControlKey<UInt64>("thread.allocated")
        // Reading may take a little itself: what two reads in a row take is taken off.
        let start = try allocated.read()
        let middle = try allocated.read()
        try body()
        let end = try allocated.read()
        return Int(end - middle) - Int(middle - start)
    }
}
