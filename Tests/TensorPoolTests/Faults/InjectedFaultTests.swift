import Jemalloc
import Testing

@testable import TensorPool

extension PoolTests {
    /// Every backend call of a scenario is refused in turn: alone, and with all that follow. The hook belongs to the
    /// process, so each scenario has one of its own, which also shows that nothing crashes.
    struct InjectedFaultTests {
        @Test func theStandardPool() async {
            await #expect(processExitsWith: .success) { try Self.refuseEachCall(of: .standard) }
        }

        @Test func theOptimizedPool() async {
            await #expect(processExitsWith: .success) { try Self.refuseEachCall(of: .optimized) }
        }

        @Test func theAdaptivePool() async {
            await #expect(processExitsWith: .success) { try Self.refuseEachCall(of: .adaptive) }
        }

        @Test func prewarmAndTrim() async {
            await #expect(processExitsWith: .success) { try Self.refuseEachCall(of: .prewarmAndTrim) }
        }

        @Test func weightsReallocationAndThreads() async {
            await #expect(processExitsWith: .success) { try Self.refuseEachCall(of: .weightsAndThreads) }
        }

        /// Frees ask for nothing: a slab went missing where an arena was to be made to give it back.
        @Test func aSlabGoesBackThoughNoArenaCanBeMade() async {
            await #expect(processExitsWith: .success) {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let tensor = try pool.allocateTensor(id: 1, byteCount: 40_000)
                let arena = try unsafe Arena.index(of: tensor.baseAddress)
                try pool.deallocateTensor(id: 1, tensor)
                let failure = InjectedFaults().during(.allFrom(0)) { pool.trim() }
                #expect(failure == nil)
                #expect(base.reservedByteCount == 0)
                _ = try Statistics.refresh()
                #expect(try Statistics.arena(arena).large.allocated == 0)
            }
        }

        /// A free has nobody to tell that there was no memory for it. Found by `ExhaustionTests` under AddressSanitizer: the
        /// list that a freed record goes to could not grow, and the program stopped.
        @Test func freesThroughCachesAskForNothing() async {
            await #expect(processExitsWith: .success) { try Self.freeWithoutMemory(.bare) }
        }

        @Test func freesWithoutCachesAskForNothing() async {
            await #expect(processExitsWith: .success) { try Self.freeWithoutMemory(.uncached) }
        }

        private static func freeWithoutMemory(_ configuration: OptimizedTensorPoolConfig) throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            for _ in 0..<2 {
                var buffers = try (0..<3000).map { try pool.own(1 + $0 * 5) }
                let handles = try (0..<3000).map { try pool.allocateTensor(id: UInt64($0), byteCount: 1 + $0 * 5) }
                let faults = InjectedFaults()
                let failure = faults.during(.allFrom(0)) { () throws(TensorPoolError) in
                    for handle in handles {
                        try pool.deallocateTensor(id: handle.tensorID, handle)
                        buffers.removeLast()
                    }
                }
                #expect(failure == nil && faults.calls[.bookkeeping, default: 0] > 0)
                expectSums(pool.statistics())
                #expect(pool.statistics().liveTensors == 0)
            }
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        private static func refuseEachCall(of scenario: FaultScenario) throws {
            // The very first calls of the process are among those refused: what is set up once must not stay broken.
            try check(scenario, .allFrom(0))
            let counted = try check(scenario, .none)
            for call in scenario.expectedCalls.subtracting([.threadKey]) {
                #expect(counted.calls[call, default: 0] > 0, "the scenario makes no call of \(call)")
            }
            var position = 0
            while true {
                let alone = try check(scenario, .only(position))
                let rest = try check(scenario, .allFrom(position))
                // Each run has calls of its own: the end is where nothing was left to refuse.
                if alone.refused == 0 && rest.refused == 0 { break }
                #expect(alone.refused <= 1)
                position += 1
                try #require(position <= 4 * counted.total + 100, "the calls of a run have no end")
            }
            print("\(position) positions of \(counted.total) calls: \(counted.calls)")
        }

        /// Runs a scenario under a plan, then without one.
        @discardableResult
        private static func check(_ scenario: FaultScenario, _ plan: InjectedFaults.Plan) throws -> InjectedFaults {
            // Each run makes its arenas anew: those calls are among the refused.
            SpareArenas.destroyAll()
            let base = try HybridMemoryPool()
            let faults = InjectedFaults()
            do {
                var pool: (any TensorAllocator)?
                let failure = faults.during(plan) { () throws(TensorPoolError) in
                    let made = try scenario.makePool(base)
                    pool = made
                    try scenario.run(made, base)
                }
                if let failure {
                    #expect(faults.refused > 0, "\(failure), though nothing was refused")
                    switch failure {
                    case .outOfMemory, .unsupportedSystem: break
                    default: Issue.record("\(plan): \(failure)")
                    }
                }
                expectBalance(base, pool, "\(plan)")
                // Memory is there again: the same pool works, or one made now where there was none.
                let usable = try pool ?? scenario.makePool(base)
                try scenario.run(usable, base)
                expectBalance(base, usable, "\(plan), afterwards")
            }
            #expect(base.reservedByteCount == 0, "\(plan): held by a base whose pools are gone")
            return faults
        }

        private static func expectBalance(_ base: HybridMemoryPool, _ pool: (any TensorAllocator)?, _ when: String) {
            var sum = base.memory.engines().reduce(0) { $0 + $1.statistics().reservedBytes }
            #expect(base.reservedByteCount == sum, "\(when)")
            guard let pool else { return }
            let statistics = pool.statistics()
            expectSums(statistics)
            #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0, "\(when)")
            sum = base.statistics().reservedBytes
            #expect(sum == base.reservedByteCount, "\(when)")
        }
    }
}
