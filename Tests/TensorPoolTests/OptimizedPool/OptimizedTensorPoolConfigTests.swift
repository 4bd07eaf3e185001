import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    struct ConfigurationTests {
        /// The setting that is to blame.
        private static func setting(_ error: TensorPoolError?) -> String? {
            if case .invalidConfiguration(let setting, _, let reason) = error, !reason.isEmpty { setting } else { nil }
        }

        static let wrong: [(name: String, change: @Sendable (inout OptimizedTensorPoolConfig) -> Void)] = [
            ("prewarming.verySmall", { $0.prewarming.verySmall = -1 }),
            ("prewarming.small", { $0.prewarming.small = Int.min }),
            ("prewarming.medium", { $0.prewarming.medium = Int.max }),
            ("prewarming.large", { $0.prewarming.large = -5 }),
            ("prewarming.veryLarge", { $0.prewarming.veryLarge = 1 << 60 }),
            ("threadCacheByteLimit", { $0.threadCacheByteLimit = -1 }),
            ("threadSpanCacheByteLimit", { $0.threadSpanCacheByteLimit = -1 }),
            ("prefetchDistance", { $0.prefetchDistance = 0 }),
            ("prefetchDistance", { $0.prefetchDistance = 65 }),
            ("slabByteCount", { $0.slabByteCount = 0 }),
            ("slabByteCount", { $0.slabByteCount = -(2 << 20) }),
            ("slabByteCount", { $0.slabByteCount = 3 << 20 }),
            ("slabByteCount", { $0.slabByteCount = 1 << 41 }),
            (
                "pressureThreshold",
                {
                    $0.enableMemoryPressureDetection = true
                    $0.pressureThreshold = .none
                }
            ),
        ]

        /// Amounts that no pool takes can be added up all the same.
        @Test func amountsOfAnySizeHaveASum() {
            typealias Prewarming = OptimizedTensorPoolConfig.Prewarming
            #expect(Prewarming(verySmall: 1, small: 2, medium: 3, large: 4, veryLarge: 5).byteCount == 15)
            #expect(Prewarming(verySmall: .max, small: .max, medium: .max).byteCount == .max)
        }

        @Test func aWrongSettingIsNamed() throws {
            let base = try HybridMemoryPool()
            for (name, change) in Self.wrong {
                var configuration = OptimizedTensorPoolConfig()
                change(&configuration)
                let error = refusal { () throws(TensorPoolError) in
                    _ = try OptimizedTensorMemoryPool(base, configuration: configuration)
                }
                #expect(Self.setting(error) == name)
            }
            for limit in [-1, Int.min] {
                for configuration in [
                    TensorMemoryPool.Configuration(threadCacheByteLimit: limit),
                    TensorMemoryPool.Configuration(sharedCacheByteLimit: limit),
                ] {
                    let error = refusal { () throws(TensorPoolError) in
                        _ = try TensorMemoryPool(base, configuration: configuration)
                    }
                    #expect(Self.setting(error)?.hasSuffix("CacheByteLimit") == true)
                }
            }
            for configuration in [
                HybridMemoryPool.Configuration(byteLimit: 0), .init(byteLimit: -1), .init(decayMilliseconds: -2),
            ] {
                let error = refusal { () throws(TensorPoolError) in
                    _ = try HybridMemoryPool(configuration: configuration)
                }
                #expect(["byteLimit", "decayMilliseconds"].contains(Self.setting(error)))
            }
            #expect(base.memory.engines().count == 1, "nothing is left of them")
        }

        @Test(arguments: PoolCase.profiles)
        func profilesWorkAndAreDifferent(_ profile: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try #require(try profile.make(base) as? OptimizedTensorMemoryPool)
            let configuration = pool.configuration
            let statistics = pool.statistics()
            #expect((statistics.prewarmedBytes > 0) == configuration.enablePrewarming)
            #expect(statistics.prewarmedBytes == base.reservedByteCount)
            let others: [OptimizedTensorPoolConfig] = [
                .inference, .training, .memoryConstrained, .smallTensors, .largeTensors,
            ]
            #expect(others.count { $0 == configuration } == 1)
        }
    }

    struct PrewarmTests {
        @Test func whatIsPrewarmedIsCountedAndUsed() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.enablePrewarming = true
            configuration.prewarming = .init(verySmall: 1 << 20, small: 1 << 20, medium: 4 << 20, large: 8 << 20)
            do {
                let resident = try #require(SystemMemory.residentByteCount())
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                var statistics = pool.statistics()
                #expect(statistics.prewarmedBytes > 13 << 20 && statistics.prewarmedBytes <= 14 << 20)
                #expect(statistics.reservedBytes == statistics.prewarmedBytes && statistics.cachedBytes == 0)
                #expect(try #require(SystemMemory.residentByteCount()) > resident + 12 << 20, "it is touched")
                // Every size is served from it, and what is used is no longer prewarmed.
                var live: [Owned] = []
                var before = statistics
                for byteCount in [64, 1000, 4096, 8000, 14_336, 20_000, 1 << 20, 6 << 20] {
                    live.append(try pool.own(byteCount))
                    statistics = pool.statistics()
                    #expect(statistics.prewarmedBytes < before.prewarmedBytes)
                    #expect(statistics.reservedBytes == before.reservedBytes)
                    #expect(statistics.backendAllocations == 0)
                    expectSums(statistics)
                    before = statistics
                }
                live = []
                statistics = pool.statistics()
                #expect(statistics.prewarmedBytes <= before.prewarmedBytes && statistics.cachedBytes > 7 << 20)
                #expect(pool.trim().releasedBytes == statistics.reservedBytes)
                #expect(base.reservedByteCount == 0)
            }
            // A pool that is dropped with all of it unused.
            do {
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                #expect(base.reservedByteCount == pool.statistics().prewarmedBytes)
            }
            #expect(base.reservedByteCount == 0)
        }

        @Test func prewarmingStopsAtTheLimit() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 4 << 20))
            for amounts in [
                OptimizedTensorPoolConfig.Prewarming(verySmall: 8 << 20, medium: 0, large: 0), .init(medium: 8 << 20),
                .init(medium: 0, large: 0, veryLarge: 1 << 40), .init(small: 1 << 20, medium: 4 << 20),
            ] {
                var configuration = OptimizedTensorPoolConfig.bare
                configuration.enablePrewarming = true
                configuration.prewarming = amounts
                let error = refusal { () throws(TensorPoolError) in
                    _ = try OptimizedTensorMemoryPool(base, configuration: configuration)
                }
                guard case .limitReached(let report) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
                #expect(report.requested == amounts.byteCount && report.limit == 4 << 20)
                #expect(base.reservedByteCount == 0 && base.memory.engines().count == 1)
            }
        }
    }

    struct OptimizedPoolTests {
        /// What a model does in a step: weights stay, each layer's activations live until their turn backwards, and
        /// temporaries come and go within a layer.
        private static func step(_ pool: some TensorAllocator) throws {
            var activations: [Owned] = []
            func temporaries(_ layer: Int) throws {
                let scores = try pool.own(12 * 128 * 128 * 4)
                let scratch = try pool.own(128 * 3072 * 4)
                let mask = try pool.own(128 * 128)
                _ = try pool.own(64 * (1 + layer % 5))
                _ = (scores.byteCount, scratch.byteCount, mask.byteCount)
            }
            for layer in 0..<12 {
                for byteCount in [128 * 768 * 4, 128 * 4, 128 * 2304 * 4, 128 * 768 * 4] {
                    activations.append(try pool.own(byteCount))
                }
                try temporaries(layer)
            }
            for layer in (0..<12).reversed() {
                let gradient = try pool.own(768 * 3072 * 4)
                for _ in 0..<4 { activations.removeLast() }
                try temporaries(layer)
                _ = gradient.byteCount
            }
        }

        @Test func aRepeatedStepGrowsNothing() throws {
            let base = try HybridMemoryPool()
            for configuration in [OptimizedTensorPoolConfig.bare, OptimizedTensorPoolConfig(), .training] {
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                let weights = try (0..<12).map { _ in try pool.own(768 * 768 * 4, TensorTraits(role: .weight)) }
                try Self.step(pool)
                let cold = pool.statistics()
                // What the thread keeps of the first step stands elsewhere than nothing did: a little more, once.
                try Self.step(pool)
                let first = pool.statistics()
                #expect(first.reservedBytes <= cold.reservedBytes + cold.reservedBytes / 50)
                for _ in 0..<10 {
                    try Self.step(pool)
                    #expect(pool.statistics().reservedBytes == first.reservedBytes)
                }
                let last = pool.statistics()
                #expect(last.peakLiveBytes == first.peakLiveBytes && last.metadataBytes == first.metadataBytes)
                #expect(last.backendAllocations == first.backendAllocations, "no new memory after that")
                #expect(last.reuseRate > 0.9)
                #expect(weights.count == 12)
            }
        }

        @Test func arbitraryWorkSettles() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            func round() throws {
                var random = SeededRandom(5)
                var live: [Owned] = []
                for _ in 0..<1500 {
                    if random.below(5) < 3 && live.count < 60 {
                        live.append(try pool.own(1 + random.below(1 << (6 + random.below(17)))))
                    } else if !live.isEmpty {
                        live.remove(at: random.below(live.count))
                    }
                }
            }
            var reserved: [Int] = []
            for _ in 0..<60 {
                try round()
                reserved.append(pool.statistics().reservedBytes)
            }
            #expect(reserved[59] == reserved[39], "it holds no more for ever")
            #expect(reserved[59] < 2 * pool.statistics().peakLiveBytes)
        }

        @Test func theLastOneFreedComesFirst() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            for byteCount in [100, 14_000, 20_000, 1 << 20, 6 << 20] {
                for _ in 0..<4 { _ = try pool.own(byteCount) }
                let hits = pool.statistics().cacheHits
                var address: UInt = 0
                for step in 0..<10 {
                    let buffer = try pool.own(byteCount)
                    if step > 0 { #expect(buffer.address == address) }
                    address = buffer.address
                }
                #expect(pool.statistics().cacheHits == hits + 10)
            }
        }

        @Test func aThreadKeepsNoMoreThanItMay() throws {
            for limit in [0, 1 << 20, 3 << 20] {
                let base = try HybridMemoryPool()
                var configuration = OptimizedTensorPoolConfig.bare
                configuration.threadCacheByteLimit = limit
                configuration.threadSpanCacheByteLimit = limit
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                var random = SeededRandom(3)
                var live: [Owned] = []
                for _ in 0..<4000 {
                    live.append(try pool.own(1 + random.below(1 << (6 + random.below(16)))))
                    if live.count > 100 { live.remove(at: random.below(live.count)) }
                }
                live = []
                let (small, spans, looped) = pool.front.engine.withState { state in
                    var small = 0
                    var spans = 0
                    var looped = 0
                    for place in unsafe state.caches.indices {
                        let cache = unsafe state.caches[place]
                        for index in 0..<CacheLayout.recordBin {
                            let bin = unsafe cache.bin(index)
                            let count = unsafe Int(bin.pointee.count)
                            if index < SizeClass.count {
                                small += count * SizeClass.byteCount(index)
                            } else if unsafe index == cache.pointee.lastBin {
                                looped += count
                            } else {
                                unsafe spans += count * Int(bin.pointee.granules) << Granule.shift
                            }
                        }
                    }
                    return (small, spans, looped)
                }
                // In a heap as large as this one spans are kept of a loop alone.
                #expect(small <= limit && spans == 0 && looped <= (limit == 0 ? 0 : 1))
                #expect(limit == 0 || small > 0)
            }
        }

        @Test func pressureGivesBackWhatIsIdle() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.enableMemoryPressureDetection = true
            configuration.pressureThreshold = .high
            configuration.threadSpanCacheByteLimit = 0
            for (level, isRelieved) in [(MemoryPressureLevel.moderate, false), (.high, true), (.critical, true)] {
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                pool.front.engine.withState { $0.pressure = { MemoryPressure(level: level, source: "a test") } }
                _ = try pool.own(64 << 20)
                let kept = try pool.own(50_000)
                kept.fill(1)
                #expect(pool.statistics().cachedBytes > 60 << 20)
                for _ in 0..<4000 { _ = try pool.own(20_000) }
                let releases = pool.front.engine.withState { $0.pressureReleases }
                #expect((releases > 0) == isRelieved)
                #expect((pool.statistics().cachedBytes < 1 << 20) == isRelieved)
                #expect(kept.holds(1))
                expectSums(pool.statistics())
            }
        }

        @Test func idleBinsShrink() throws {
            for isAdaptive in [false, true] {
                let base = try HybridMemoryPool()
                var configuration = OptimizedTensorPoolConfig.bare
                configuration.enableAdaptiveCleanup = isAdaptive
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                pool.front.engine.withState { $0.idleInterval = 0 }
                // A working set of small tensors that falls out of use.
                var live = try (0..<200).map { _ in try pool.own(4096) }
                live.removeAll()
                #expect(pool.statistics().cachedBytes >= 200 * 4096)
                for step in 0..<8000 { _ = try pool.own(20_000 + 16_384 * (step % 8), alignment: 32_768) }
                let kept = pool.front.engine.withState { state in
                    let index = SizeClass.index(4096)
                    return unsafe state.depot.count(ofClass: index) + Int(state.caches[0].bin(index).pointee.count)
                }
                #expect(isAdaptive ? kept == 0 : kept >= 200)
            }
        }
    }
}
