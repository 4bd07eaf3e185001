import Testing

@testable import TensorPool

/// Each flag of the guide changes what can be counted.
extension PoolTests {
    @Suite struct ConfigurationFlagTests {
        private static func pool(_ change: (inout OptimizedTensorPoolConfig) -> Void) throws
            -> OptimizedTensorMemoryPool
        {
            var configuration = OptimizedTensorPoolConfig.bare
            change(&configuration)
            return try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
        }

        @Test func prewarmingMakesWhatItSaysReadyAndResident() throws {
            let cold = try Self.pool { _ in }
            #expect(cold.statistics().reservedBytes == 0)
            let warm = try Self.pool {
                $0.enablePrewarming = true
                $0.prewarming = .init(verySmall: 64 << 10, small: 64 << 10, medium: 2 << 20, large: 4 << 20)
            }
            let before = warm.statistics()
            #expect(before.prewarmedBytes >= 6 << 20 && before.prewarmedBytes < 7 << 20)
            #expect(before.everPrewarmedBytes == before.prewarmedBytes && before.prewarmUseRate == 0)
            #expect(before.prewarmNanoseconds > 0)
            drop(try warm.allocate(byteCount: 3 << 20))
            drop(try warm.allocate(byteCount: 2000))
            #expect(warm.statistics().backendAllocations == before.backendAllocations, "no new memory was needed")
            let after = warm.statistics()
            #expect(after.prewarmedBytes < before.prewarmedBytes)
            #expect(after.everPrewarmedBytes == before.everPrewarmedBytes)
            #expect(after.prewarmNanoseconds == before.prewarmNanoseconds)
            #expect(after.prewarmUseRate >= Double(3 << 20) / Double(7 << 20) && after.prewarmUseRate < 0.6)
        }

        @Test func prewarmingCanBeAskedForLater() throws {
            let pool = try Self.pool { _ in }
            try pool.prewarm(.init(medium: 4 << 20, large: 0))
            #expect(pool.statistics().prewarmedBytes == 4 << 20)
            #expect(throws: TensorPoolError.self) { try pool.prewarm(.init(medium: -1)) }
            #expect(pool.statistics().prewarmedBytes == 4 << 20)
            #expect(pool.statistics().everPrewarmedBytes == 4 << 20)
            #expect(pool.trim().releasedBytes == 4 << 20)
        }

        @Test func prefetchingReachesTheEngine() throws {
            let off = try Self.pool { $0.enablePrefetching = false }
            let on = try Self.pool {
                $0.enablePrefetching = true
                $0.prefetchDistance = 4
            }
            #expect(off.front.engine.withState { $0.configuration.prefetchLines } == 0)
            #expect(on.front.engine.withState { $0.configuration.prefetchLines } == 4)
            drop(try on.allocate(byteCount: 100))
            drop(try on.allocate(byteCount: 1 << 20))
        }

        @Test(arguments: [false, true])
        func zeroingIsRightInBothWays(isVectorized: Bool) throws {
            let pool = try Self.pool { $0.enableSIMD = isVectorized }
            for byteCount in [1, 63, 64, 65, 5000, 1 << 20, (8 << 20) + 13] {
                let dirty = try pool.own(byteCount)
                dirty.dirty()
                _ = consume dirty
                #expect(try pool.own(byteCount, zeroed: true).isZero)
            }
        }

        @Test func withoutCacheOptimizationThreadsKeepNothing() throws {
            for isOn in [false, true] {
                let pool = try Self.pool { $0.enableCacheOptimization = isOn }
                for byteCount in [1000, 200_000] {
                    for _ in 0..<50 { drop(try pool.allocate(byteCount: byteCount)) }
                }
                #expect((pool.statistics().cacheHits > 90) == isOn)
                #expect((pool.statistics().cacheHits == 0) == !isOn)
            }
        }

        @Test func underPressureIdleMemoryGoesBack() throws {
            for isOn in [false, true] {
                let pool = try Self.pool {
                    $0.enableMemoryPressureDetection = isOn
                    $0.pressureThreshold = .high
                }
                pool.front.engine.withState {
                    $0.pressure = { MemoryPressure(level: .critical, source: "a test") }
                }
                var held: [Owned] = []
                for _ in 0..<8 { held.append(try pool.own(4 << 20)) }
                held.removeAll()
                #expect(pool.statistics().cachedBytes >= 24 << 20)
                // Slow operations of another size: the pool looks now and then.
                for index in 0..<6000 { drop(try pool.allocate(byteCount: 20_000 + index % 600 * 16 << 10)) }
                #expect((pool.front.engine.withState { $0.pressureReleases } > 0) == isOn)
                expectSums(pool.statistics())
            }
        }

        @Test func adaptiveCleanupReturnsSizesThatFellOutOfUse() throws {
            for isOn in [false, true] {
                let pool = try Self.pool { $0.enableAdaptiveCleanup = isOn }
                pool.front.engine.withState { $0.idleInterval = 0 }
                var held: [Owned] = []
                for _ in 0..<400 { held.append(try pool.own(8 << 10)) }
                held.removeAll()
                let before = pool.statistics().cachedBytes
                #expect(before >= 400 * 8 << 10)
                // Another working set, through the slow path often enough to be looked at twice.
                for round in 0..<160 {
                    held = try (0..<40).map { _ in try pool.own(1000 + round) }
                    held.removeAll()
                    for index in 0..<20 { drop(try pool.allocate(byteCount: 100_000 + index << 14)) }
                }
                let after = pool.statistics()
                #expect((after.cachedBytes - 21 * 64 << 14 < before / 2) == isOn || isOn == false)
                let kept = pool.front.engine.withState { $0.depot.count(ofClass: SizeClass.index(8 << 10)) }
                #expect((kept < 200) == isOn, "\(kept) blocks of 8 KiB are kept")
            }
        }
    }
}
