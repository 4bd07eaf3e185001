import Foundation
import TensorPool
import TensorTrace
import Testing

/// What stands between the caller and a pool.
struct Adaptor: Sendable {
    let name: String
    let wrap: @Sendable (any TensorAllocator, HybridMemoryPool) throws -> TestedAllocator

    /// All of them: a new adaptor is one line.
    static let all = [
        Adaptor(name: "alone") { pool, _ in TestedAllocator(pool) },
        Adaptor(name: "static plan") { pool, _ in try planned(pool) },
        Adaptor(name: "fallback behind a full pool") { pool, base in try behindFull(pool, base) },
        Adaptor(name: "fallback never asked") { pool, base in try inFront(pool, base) },
        Adaptor(name: "budgets") { pool, _ in budgeted(pool) },
        Adaptor(name: "recorder") { pool, _ in try recorded(pool) },
    ]

    /// Some of the sizes that the suite asks for, in its order.
    private static func planned(_ pool: some TensorAllocator) throws -> TestedAllocator {
        var allocations: [StaticPlanLayout.Allocation] = []
        var end = 0
        for byteCount in ConformanceTests.sizes where byteCount <= 1 << 20 {
            allocations.append(.init(offset: end, byteCount: byteCount))
            end += (byteCount + 4095) & ~4095
        }
        let layout = try StaticPlanLayout(allocations: allocations, byteCount: end, alignment: 4096)
        return TestedAllocator(try StaticPlan(layout, upstream: pool))
    }

    private static func behindFull(_ pool: some TensorAllocator, _ base: HybridMemoryPool) throws -> TestedAllocator {
        let small = try TensorMemoryPool(base, configuration: .init(byteLimit: 64 << 10))
        return TestedAllocator(FallbackTensorAllocator(small, then: pool))
    }

    private static func inFront(_ pool: some TensorAllocator, _ base: HybridMemoryPool) throws -> TestedAllocator {
        TestedAllocator(FallbackTensorAllocator(pool, then: base))
    }

    private static func budgeted(_ pool: some TensorAllocator) -> TestedAllocator {
        BudgetedAllocator(pool, byteLimit: .max).withBudget(1 << 40) { TestedAllocator($0) }
    }

    private static func recorded(_ pool: some TensorAllocator) throws -> TestedAllocator {
        let path = FileManager.default.temporaryDirectory.appending(path: "conformance-\(UUID()).tptrace")
        var configuration = TraceRecorderConfiguration()
        configuration.bufferBytesPerThread = 64 << 10
        let recorder = try TraceRecorder(
            pool, path: path.path(percentEncoded: false), configuration: configuration)
        // The recorder holds the file open: nothing is left behind, however the test ends.
        try FileManager.default.removeItem(at: path)
        return TestedAllocator(recorder)
    }
}

/// How the base pool is made, and with it everything on it.
struct BaseCase: Sendable {
    let name: String
    let make: @Sendable () throws -> HybridMemoryPool

    /// All of them: a new mode is one line.
    static let all = [BaseCase(name: "plain") { try HybridMemoryPool() }]
}

/// One way to put an allocator together.
struct Combination: Sendable, CustomTestStringConvertible {
    let base: BaseCase
    let pool: PoolCase
    let adaptor: Adaptor

    var testDescription: String { "\(pool.name), \(adaptor.name), \(base.name)" }

    static let all = BaseCase.all.flatMap { base in
        PoolCase.all.flatMap { pool in
            Adaptor.all.map { Combination(base: base, pool: pool, adaptor: $0) }
        }
    }

    /// Runs `body` on the allocator. What it leaves must add up, and the base must have everything back once the
    /// allocator is gone.
    func check(_ body: (TestedAllocator) throws -> Void) throws {
        let base = try base.make()
        do {
            let allocator = try adaptor.wrap(pool.make(base), base)
            try body(allocator)
            let statistics = allocator.statistics()
            expectSums(statistics)
            #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0)
        }
        #expect(base.reservedByteCount == 0, "held by a base whose pools are gone")
    }
}
