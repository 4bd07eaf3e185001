import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    @Suite struct AdaptiveRoutingTests {
        private static func quiet() -> AdaptiveConfiguration {
            var configuration = AdaptiveConfiguration()
            configuration.optimized.enablePrewarming = false
            return configuration
        }

        @Test(arguments: [
            (1, TensorRole.activation, AllocationStrategy.standard), (32 << 10, .activation, .standard),
            ((1 << 20) + 1, .activation, .optimized), (64 << 20, .activation, .optimized),
            (100, .weight, .optimized), (1 << 20, .weight, .optimized), (64 << 10, .temporary, .standard),
            (2 << 20, .temporary, .optimized),
        ])
        func rulesSendTensorsToTheirStrategy(byteCount: Int, role: TensorRole, expected: AllocationStrategy) throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: Self.quiet())
            let handle = try pool.allocateTensor(
                id: 1, byteCount: byteCount, device: .cpu, isModelWeight: role == .weight,
                isTemporary: role == .temporary)
            let decision = pool.explain(
                byteCount: byteCount, isModelWeight: role == .weight, isTemporary: role == .temporary)
            #expect(decision.strategy == expected)
            let served = expected == .standard ? pool.standard.statistics() : pool.optimized.statistics()
            #expect(served.liveBytes == byteCount)
            #expect(pool.statistics().allocations == 1)
            try pool.deallocateTensor(id: 1, handle)
            #expect(pool.statistics().liveBytes == 0)
        }

        @Test func whatIsBetweenStartsOptimizedAndIsMeasured() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: Self.quiet())
            let byteCount = 256 << 10
            #expect(pool.explain(byteCount: byteCount).rule == .measured)
            #expect(pool.explain(byteCount: byteCount).strategy == .optimized)
            // More at a time than the thread's cache keeps: what that serves needs no measuring.
            for _ in 0..<40 {
                let live = try (0..<12).map { _ in try pool.own(byteCount) }
                #expect(live.count == 12)
            }
            let decision = pool.explain(byteCount: byteCount)
            #expect(decision.comparisons > 0)
            #expect(decision.standardNanoseconds != nil && decision.optimizedNanoseconds != nil)
            // Which one measures better is the machine's business; that the figures decide is ours.
            let optimizedPays = try found(decision.optimizedNanoseconds) + decision.idleNanoseconds
            let other = pool.explain(byteCount: 512 << 10)
            #expect(other.comparisons == 0 && other.strategy == .optimized, "sizes are measured apart")
            #expect(optimizedPays > 0)
            #expect(decision.description.contains("comparisons"))
        }

        /// Looks come after so many visits, and pay for each: none may count twice.
        @Test(arguments: AllocationStrategy.allCases) func eachRequestIsOneVisitAtMost(strategy: AllocationStrategy)
            throws
        {
            var configuration = Self.quiet()
            configuration.minimumUses = 100
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            let byteCount = 200_000
            pool.routes.seed(
                byteCount: byteCount, standard: strategy == .standard ? 1 : 1e9,
                optimized: strategy == .standard ? 1e9 : 1)
            #expect(pool.explain(byteCount: byteCount).strategy == strategy)
            for _ in 0..<60 { #expect(try pool.own(byteCount).byteCount == byteCount) }
            #expect(pool.explain(byteCount: byteCount).visits == 1, "the next look is after the hundredth")
        }

        @Test func trialsCountNowhereAndTakeNoTensorElsewhere() throws {
            let base = try HybridMemoryPool()
            let pool = try AdaptiveTensorMemoryPool(base, configuration: Self.quiet())
            let byteCount = 500_000
            let live = try (0..<12).map { _ in try pool.own(byteCount) }
            let before = pool.optimized.statistics()
            for strategy in [AllocationStrategy.standard, .optimized, .standard, .optimized] {
                pool.run(.init(strategy: strategy, bin: RouteTable.bin(byteCount), byteCount: byteCount))
            }
            let decision = pool.explain(byteCount: byteCount)
            #expect(decision.standardNanoseconds != nil && decision.optimizedNanoseconds != nil)
            let counts = pool.optimized.statistics()
            #expect(counts.allocations == before.allocations && counts.deallocations == before.deallocations)
            #expect(counts.cacheHits == before.cacheHits && counts.backendAllocations == before.backendAllocations)
            #expect(counts.liveBytes == 12 * byteCount)
            expectSums(counts)
            let other = pool.standard.statistics()
            #expect(other.allocations == 0 && other.deallocations == 0 && other.cacheHits == 0)
            #expect(other.liveBytes == 0 && other.backendAllocations == 0)
            expectSums(other)
            #expect(base.retainedByteCount() < 1 << 20, "one tensor's memory at most")
            #expect(live.count == 12)
        }

        /// What the program never touches is not to become resident by being measured.
        @Test func aTrialOfTheOptimizedStrategyTouchesNothing() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let byteCount = 256 << 10
            let address = try {
                let buffer = try pool.allocate(byteCount: byteCount)
                unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.fill($0, 7) }
                return unsafe buffer.withUnsafeMutableBytes { UInt(bitPattern: $0.baseAddress) }
            }()
            #expect(pool.front.engine.timePair(byteCount: byteCount) != nil)
            let buffer = try pool.allocate(byteCount: byteCount)
            #expect(unsafe buffer.withUnsafeMutableBytes { UInt(bitPattern: $0.baseAddress) } == address)
            #expect(unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.holds($0, 7) })
        }

        /// A size that the thread's cache serves costs what a hit does, however dear its misses are: they are dear where threads
        /// wait for each other.
        @Test func aTrialCountsForAsManyUsesAsMiss() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            for byteCount in [20_000, 64 << 10, 256 << 10] {
                let unused = try #require(pool.front.engine.timePair(byteCount: byteCount))
                #expect(unused.nanoseconds > 0 && unused.nanoseconds <= unused.spent)
                for _ in 0..<10_000 { _ = try pool.own(byteCount) }
                let used = try #require(pool.front.engine.timePair(byteCount: byteCount))
                #expect(used.nanoseconds <= used.spent / 1000)
            }
        }

        @Test func aTrialThatTheLimitRefusesChangesNothing() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 4 << 20))
            let pool = try AdaptiveTensorMemoryPool(base, configuration: Self.quiet())
            let byteCount = 1 << 20
            var live: [Owned] = []
            while let tensor = try? pool.own(byteCount) { live.append(tensor) }
            let before = pool.statistics()
            for strategy in AllocationStrategy.allCases {
                pool.run(.init(strategy: strategy, bin: RouteTable.bin(byteCount), byteCount: byteCount))
            }
            #expect(pool.statistics() == before)
            #expect(pool.explain(byteCount: byteCount).standardNanoseconds == nil)
            live = []
        }

        @Test func aForcedStrategyHoldsForEverySizeAndIsReadBack() throws {
            for strategy in AllocationStrategy.allCases {
                let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool(), strategy: strategy)
                #expect(pool.forcedStrategy == strategy)
                for byteCount in [100, 20 << 10, 200 << 10, 3 << 20] {
                    for _ in 0..<20 { drop(try pool.allocate(byteCount: byteCount)) }
                    #expect(pool.explain(byteCount: byteCount).rule == .forced)
                }
                let counts = pool.statistics().allocationsByStrategy
                #expect(counts == [strategy: 80])
                pool.forcedStrategy = nil
                #expect(pool.explain(byteCount: 100).rule == .upToStandardCeiling)
            }
        }

        @Test func handlesOfAllSizesAreOfTheStrategyThatIsForced() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool())
            for strategy in AllocationStrategy.allCases + AllocationStrategy.allCases {
                pool.forcedStrategy = strategy
                let serial = strategy == .standard ? pool.standardFront.serial : pool.optimizedFront.serial
                for byteCount in [100, 20_000, 100_000, 3 << 20, 40 << 20] {
                    for isTemporary in [false, true] {
                        let handle = try pool.allocateTensor(
                            id: 1, byteCount: byteCount, device: .cpu, isModelWeight: false, isTemporary: isTemporary)
                        #expect(handle.serial == serial)
                        try pool.deallocateTensor(id: 1, handle)
                        #expect(throws: TensorPoolError.freedTwice(tensorID: 1)) {
                            try pool.deallocateTensor(id: 1, handle)
                        }
                    }
                }
            }
            #expect(pool.statistics().liveTensors == 0)
        }

        @Test func aTensorIsFreedWhereItWasAllocatedWhateverIsDecidedSince() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: Self.quiet())
            pool.forcedStrategy = .standard
            let handle = try pool.allocateTensor(id: 5, byteCount: 300 << 10)
            let buffer = try pool.own(20 << 10)
            pool.forcedStrategy = .optimized
            try pool.deallocateTensor(id: 5, handle)
            _ = consume buffer
            #expect(pool.standard.statistics().liveTensors == 0)
            #expect(pool.optimized.statistics().allocations == 0)
        }

        @Test func contradictionsAreRefused() {
            var configuration = AdaptiveConfiguration()
            configuration.standardCeiling = 2 << 20
            #expect(refusal { () throws(TensorPoolError) in _ = try make(configuration) } != nil)
            configuration = AdaptiveConfiguration()
            configuration.optimizedFloor = 4 << 20
            #expect(refusal { () throws(TensorPoolError) in _ = try make(configuration) } != nil)
            configuration = AdaptiveConfiguration()
            configuration.nanosecondsPerIdlePage = -1
            #expect(refusal { () throws(TensorPoolError) in _ = try make(configuration) } != nil)
            configuration = AdaptiveConfiguration()
            configuration.minimumUses = 0
            #expect(refusal { () throws(TensorPoolError) in _ = try make(configuration) } != nil)
        }

        private func make(_ configuration: AdaptiveConfiguration) throws(TensorPoolError) -> AdaptiveTensorMemoryPool {
            try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
        }

        @Test(arguments: [
            AdaptiveConfiguration.inference, .training, .memoryConstrained, .smallTensors, .largeTensors,
        ])
        func profilesAreUsable(configuration: AdaptiveConfiguration) throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            #expect(pool.optimized.configuration == configuration.optimized)
            drop(try pool.allocate(byteCount: 5 << 20))
            expectSums(pool.statistics())
        }
    }
}
