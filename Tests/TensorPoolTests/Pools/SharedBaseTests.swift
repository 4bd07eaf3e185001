import Testing

@testable import TensorPool

/// What pools on one base owe each other.
extension PoolTests {
    @Suite struct SharedBaseTests {
        @Test func prewarmingTakesWhatOthersKeepIdle() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 12 << 20))
            let first = try OptimizedTensorMemoryPool(base)
            let second = try OptimizedTensorMemoryPool(base)
            #expect(second.statistics().prewarmedBytes == 8 << 20)
            #expect(first.statistics().reservedBytes + second.statistics().reservedBytes <= 12 << 20)
        }

        @Test func prewarmingMoreThanTheMachineHasIsRefused() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            for amounts in [
                OptimizedTensorPoolConfig.Prewarming(verySmall: 1 << 45), .init(small: 1 << 45), .init(large: 1 << 45),
            ] {
                let error = refusal { () throws(TensorPoolError) in try pool.prewarm(amounts) }
                #expect(error == .outOfMemory(byteCount: amounts.byteCount))
            }
            #expect(pool.statistics().reservedBytes == 0)
        }

        @Test func smallTensorsOfTheBaseCountInTheirCategory() throws {
            let base = try HybridMemoryPool()
            drop(try base.allocate(byteCount: 1000))
            drop(try base.allocate(byteCount: 5000))
            drop(try base.allocate(byteCount: 1000, alignment: 8192))
            #expect(base.statistics().allocationsByCategory == [.verySmall: 2, .small: 1])
        }

        @Test func decisionsAreThereForAnySize() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool())
            for byteCount in [Int.min, -1, 0, 1, Int.max] {
                #expect(!pool.explain(byteCount: byteCount).description.isEmpty)
            }
            var configuration = AdaptiveConfiguration()
            configuration.optimizedFloor = 100_000
            #expect(throws: TensorPoolError.self) {
                _ = try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            }
        }

        @Test func cleanupReturnsGranulesThatFellOutOfUse() throws {
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.enableAdaptiveCleanup = true
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            pool.front.engine.withState { $0.idleInterval = 0 }
            var held = try (0..<8).map { _ in try pool.own(4 << 20) }
            held.removeAll()
            #expect(pool.statistics().reservedBytes >= 28 << 20)
            for index in 0..<4800 { drop(try pool.allocate(byteCount: 20_000 + (index % 40) * 16_384)) }
            #expect(pool.statistics().reservedBytes < 4 << 20)
            expectSums(pool.statistics())
        }

        @Test func aSampledTensorBecomesAWeightInPlace() throws {
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.enableStatisticalAnalysis = true
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            for id in 0..<3000 as Range<UInt64> {
                let handle = try pool.allocateTensor(id: id, byteCount: 100_000)
                if handle.kind.isSampled {
                    let weight = try pool.makeWeight(id: id, handle)
                    #expect(!weight.isCopied)
                    #expect(pool.front.engine.samples().births.isEmpty)
                    try pool.deallocateTensor(id: id, weight.handle)
                    return
                }
                try pool.deallocateTensor(id: id, handle)
            }
            Issue.record("one in 2,048 is sampled")
        }

        @Test func fillingSetsEveryByte() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool())
            for byteCount in [1, 100, 70_000, (5 << 20) + 3] {
                var buffer = try pool.allocate(byteCount: byteCount)
                buffer.fill(with: 0xA5)
                let isFilled = unsafe buffer.withUnsafeMutableBytes { unsafe $0.allSatisfy { $0 == 0xA5 } }
                #expect(isFilled)
            }
        }

        @Test func whatArenasRetainGoesWithATrim() throws {
            let base = try HybridMemoryPool()
            let buffer = try base.own(8 << 20)
            buffer.dirty()
            _ = consume buffer
            #expect(base.retainedByteCount() >= 8 << 20)
            base.trim()
            #expect(base.retainedByteCount() == 0)
        }
    }
}
