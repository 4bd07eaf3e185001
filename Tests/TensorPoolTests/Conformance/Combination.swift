import Foundation
import TensorTrace
import Testing

@testable import TensorPool

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What stands between the caller and a pool.
struct Adaptor: Sendable {
    let name: String
    let wrap: @Sendable (any TensorAllocator, HybridMemoryPool) throws -> any TensorAllocator

    /// All of them: a new adaptor is one line.
    static let all = [
        Adaptor(name: "alone") { pool, _ in pool },
        Adaptor(name: "static plan") { pool, _ in try planned(pool) },
        Adaptor(name: "fallback behind a full pool") { pool, base in try behindFull(pool, base) },
        Adaptor(name: "fallback never asked") { pool, base in try inFront(pool, base) },
        Adaptor(name: "budgets") { pool, _ in budgeted(pool) },
        Adaptor(name: "recorder") { pool, _ in try recorded(pool) },
        Adaptor(name: "recorder of a budget on a plan") { pool, _ in try recorded(budgeted(planned(pool))) },
    ]

    /// Some of the sizes that the suite asks for, in its order.
    private static func planned(_ pool: some TensorAllocator) throws -> any TensorAllocator {
        var allocations: [StaticPlanLayout.Allocation] = []
        var end = 0
        for byteCount in ConformanceTests.sizes where byteCount <= 1 << 20 {
            allocations.append(.init(offset: end, byteCount: byteCount))
            end += (byteCount + 4095) & ~4095
        }
        let layout = try StaticPlanLayout(allocations: allocations, byteCount: end, alignment: 4096)
        return try StaticPlan(layout, upstream: pool)
    }

    private static func behindFull(_ pool: some TensorAllocator, _ base: HybridMemoryPool) throws -> any TensorAllocator
    {
        let small = try TensorMemoryPool(base, configuration: .init(byteLimit: 64 << 10))
        return FallbackTensorAllocator(small, then: pool)
    }

    private static func inFront(_ pool: some TensorAllocator, _ base: HybridMemoryPool) throws -> any TensorAllocator {
        FallbackTensorAllocator(pool, then: base)
    }

    private static func budgeted(_ pool: some TensorAllocator) -> any TensorAllocator {
        BudgetedAllocator(pool, byteLimit: .max).withBudget(1 << 40) { $0 }
    }

    private static func recorded(_ pool: some TensorAllocator) throws -> any TensorAllocator {
        let path = FileManager.default.temporaryDirectory.appending(path: "conformance-\(UUID()).tptrace")
        var configuration = TraceRecorderConfiguration()
        configuration.bufferBytesPerThread = 64 << 10
        let recorder = try TraceRecorder(pool, path: path.path(percentEncoded: false), configuration: configuration)
        // The recorder holds the file open: nothing is left behind, however the test ends.
        try FileManager.default.removeItem(at: path)
        return recorder
    }
}

/// Debugging modes that the environment asks for while pools are made: of the base, of the pools on it, of those that
/// adaptors make.
struct DebugMode: Sendable {
    /// As in `TENSOR_POOL_DEBUG`; none for the pools as they come.
    let words: String

    /// All of them but `faults`, which is the process's: a new mode is one line.
    static let all = [
        DebugMode(words: "fill,guard"), DebugMode(words: "track,leaks"), DebugMode(words: "pages=1/2,backtraces"),
        DebugMode(words: "pages=1/2048"),
    ]

    /// Makes pools in this mode.
    func make<Made>(_ body: () throws -> Made) rethrows -> Made {
        if words.isEmpty { return try body() }
        let before = ProcessInfo.processInfo.environment[DebugOptions.environmentVariable]
        unsafe setenv(DebugOptions.environmentVariable, words, 1)
        defer {
            if let before {
                unsafe setenv(DebugOptions.environmentVariable, before, 1)
            } else {
                unsafe unsetenv(DebugOptions.environmentVariable)
            }
        }
        return try body()
    }
}

/// One way to put an allocator together.
struct Combination: Sendable, CustomTestStringConvertible {
    let mode: DebugMode
    let pool: PoolCase
    let adaptor: Adaptor

    var testDescription: String { "\(pool.name), \(adaptor.name)" + (mode.words.isEmpty ? "" : ", \(mode.words)") }

    private static let isEveryAsked = {
        let asked = ProcessInfo.processInfo.environment["TENSOR_POOL_CONFORMANCE"]
        precondition(asked == nil || asked == "every", "TENSOR_POOL_CONFORMANCE is 'every' or not set")
        return asked != nil
    }()

    /// Every pool and profile behind every adaptor, and every kind of pool so in every debugging mode; where
    /// `TENSOR_POOL_CONFORMANCE=every` asks for it, every pool and profile in every mode.
    static let all = {
        let watched = isEveryAsked ? PoolCase.unwatched : PoolCase.everyKind
        return PoolCase.unwatched.flatMap { all($0, DebugMode(words: "")) }
            + DebugMode.all.flatMap { mode in watched.flatMap { all($0, mode) } }
    }()

    private static func all(_ pool: PoolCase, _ mode: DebugMode) -> [Combination] {
        Adaptor.all.map { Combination(mode: mode, pool: pool, adaptor: $0) }
    }

    /// The sizes for tensors of all sizes. Where each is filled, gibibytes take seconds: not behind each adaptor, unless
    /// every combination is asked for.
    var sizes: ArraySlice<Int> {
        let isFilled = mode.words.contains("fill") && adaptor.name != "alone" && !Self.isEveryAsked
        return ConformanceTests.sizes.dropLast(isFilled ? 2 : 0)
    }

    /// Runs `body` on the allocator. What it leaves must add up, and the base must have everything back once the
    /// allocator is gone.
    func check(_ body: (any TensorAllocator) throws -> Void) throws {
        let base = try mode.make { try HybridMemoryPool() }
        let findings = Findings(of: base)
        do {
            let allocator = try mode.make { try adaptor.wrap(pool.make(base), base) }
            try body(allocator)
            let statistics = allocator.statistics()
            expectSums(statistics)
            #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0)
        }
        // What the base itself freed may be kept back.
        if !mode.words.isEmpty { base.trim() }
        #expect(base.reservedByteCount == 0, "held by a base whose pools are gone")
        // Frees that are to be refused are among what the tests do.
        #expect(findings.take().allSatisfy { $0.kind == .freedTwice })
    }
}
