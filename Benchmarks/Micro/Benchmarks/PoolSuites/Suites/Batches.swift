import Benchmark
import TensorPool

/// 1,000 tensors of one size, all live, then freed in an order: one batch an iteration, warm and untouched.
enum Batches {
    private static let count = 1000
    private static let sizes = [1 << 10, 64 << 10]

    /// The order in which a batch is freed.
    private enum Order: String, CaseIterable {
        case inOrder = "in-order"
        case reversed
        case shuffled

        var indices: [Int] {
            switch self {
            case .inOrder: return Array(0..<count)
            case .reversed: return (0..<count).reversed()
            case .shuffled:
                var generator = SeededGenerator(seed: 1)
                return (0..<count).shuffled(using: &generator)
            }
        }
    }

    static func register() {
        register(.standard)
        register(.optimized)
        register(.adaptive)
    }

    private static func register<Pool>(_ subject: Subject<Pool>) {
        for order in Order.allCases {
            for byteCount in sizes {
                let place = "\(order.rawValue).\(name(ofByteCount: byteCount))"
                let indices = order.indices
                Benchmark(
                    "batch.\(subject.name).buffer.\(place)",
                    closure: { (benchmark: Benchmark, batch: BufferBatch<Pool>) in
                        try benchmark.measure(operations: count) {
                            try batch.allocateAndFree(byteCount: byteCount, in: indices)
                        }
                    }, setup: { try BufferBatch(pool: subject.make(), capacity: count) })
                Benchmark(
                    "batch.\(subject.name).handle.\(place)",
                    closure: { (benchmark: Benchmark, batch: HandleBatch<Pool>) in
                        try benchmark.measure(operations: count) {
                            try batch.allocateAndFree(byteCount: byteCount, in: indices)
                        }
                    }, setup: { try HandleBatch(pool: subject.make(), capacity: count) })
            }
        }
    }
}

/// Room for live buffers of a pool. A place is initialized only while a batch runs.
@safe private final class BufferBatch<Pool: TensorAllocator> {
    private let pool: Pool
    private let live: UnsafeMutablePointer<TensorBuffer>

    init(pool: Pool, capacity: Int) {
        self.pool = pool
        unsafe live = .allocate(capacity: capacity)
    }

    deinit { unsafe live.deallocate() }

    /// Allocates as many as there are indices, and frees them in the order of these. After an error the process ends,
    /// and nobody frees what was live then.
    @inline(never)
    func allocateAndFree(byteCount: Int, in order: [Int]) throws {
        for index in order.indices {
            unsafe (live + index).initialize(to: try pool.allocate(byteCount: byteCount))
        }
        // Each index stands in the order once, and each place is initialized.
        for index in order { unsafe free((live + index).move()) }
    }
}

/// Room for live handles of a pool.
private final class HandleBatch<Pool: TensorAllocator> {
    private let pool: Pool
    private var live: [MemoryHandle] = []

    init(pool: Pool, capacity: Int) {
        self.pool = pool
        live.reserveCapacity(capacity)
    }

    /// Allocates as many as there are indices, and frees them in the order of these.
    @inline(never)
    func allocateAndFree(byteCount: Int, in order: [Int]) throws {
        live.removeAll(keepingCapacity: true)
        for _ in order { live.append(try pool.allocateTensor(id: 1, byteCount: byteCount)) }
        for index in order { try pool.deallocateTensor(id: 1, live[index]) }
    }
}

/// Sebastiano Vigna's SplitMix64: the same order in every run.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
