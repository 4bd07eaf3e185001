import Benchmark
import TensorPool

/// A tensor that grows from 16 KiB to 4 MiB in steps of 64 KiB, alone or in turn with another one that does the same
/// and stands in its way. Warm; only what the pool copies is touched. One growth an iteration.
enum Reallocations {
    private static let first = 16 << 10
    private static let last = 4 << 20
    private static let step = 64 << 10
    private static var stepCount: Int { last / step }

    static func register() {
        register(.standard)
        register(.optimized)
        register(.adaptive)
    }

    private static func register<Pool>(_ subject: Subject<Pool>) {
        Benchmark(
            "realloc.\(subject.name).buffer.alone",
            closure: { (benchmark: Benchmark, pool: Pool) in
                try benchmark.measure(operations: stepCount) { try growBuffer(on: pool) }
            }, setup: subject.make)
        Benchmark(
            "realloc.\(subject.name).buffer.with-neighbour",
            closure: { (benchmark: Benchmark, pool: Pool) in
                try benchmark.measure(operations: 2 * stepCount) { try growTwoBuffers(on: pool) }
            }, setup: subject.make)
        Benchmark(
            "realloc.\(subject.name).handle.alone",
            closure: { (benchmark: Benchmark, pool: Pool) in
                try benchmark.measure(operations: stepCount) { try growHandles(1, on: pool) }
            }, setup: subject.make)
        Benchmark(
            "realloc.\(subject.name).handle.with-neighbour",
            closure: { (benchmark: Benchmark, pool: Pool) in
                try benchmark.measure(operations: 2 * stepCount) { try growHandles(2, on: pool) }
            }, setup: subject.make)
    }

    @inline(never)
    private static func growBuffer(on pool: some TensorAllocator) throws {
        var buffer = try pool.allocate(byteCount: first)
        for byteCount in stride(from: step, through: last, by: step) {
            try pool.reallocate(&buffer, byteCount: byteCount)
        }
        free(buffer)
    }

    @inline(never)
    private static func growTwoBuffers(on pool: some TensorAllocator) throws {
        var buffer = try pool.allocate(byteCount: first)
        var neighbour = try pool.allocate(byteCount: first)
        for byteCount in stride(from: step, through: last, by: step) {
            try pool.reallocate(&buffer, byteCount: byteCount)
            try pool.reallocate(&neighbour, byteCount: byteCount)
        }
        free(buffer)
        free(neighbour)
    }

    @inline(never)
    private static func growHandles(_ count: Int, on pool: some TensorAllocator) throws {
        var handles: [MemoryHandle] = []
        for _ in 0..<count { handles.append(try pool.allocateTensor(id: 1, byteCount: first)) }
        for byteCount in stride(from: step, through: last, by: step) {
            for index in handles.indices {
                handles[index] = try pool.reallocateTensor(id: 1, handles[index], byteCount: byteCount)
            }
        }
        for handle in handles { try pool.deallocateTensor(id: 1, handle) }
    }
}
