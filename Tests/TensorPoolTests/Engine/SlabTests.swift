import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    /// Slabs as a pool gets and gives them back.
    struct SlabTests {
        @Test func requestsThatNoSlabCanHoldAreRefused() throws {
            for limit in [nil, 1 << 62] {
                let base = try HybridMemoryPool(configuration: .init(byteLimit: limit))
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                _ = try pool.own(100_000)
                for shift in 42...46 {
                    for byteCount in [1 << shift, 1 << shift - 1] {
                        #expect(pool.refusedBuffer(byteCount) == .outOfMemory(byteCount: byteCount))
                        #expect(pool.refusedBuffer(byteCount, alignment: 2 << 20) == .outOfMemory(byteCount: byteCount))
                        #expect(pool.refusedTensor(byteCount) == .outOfMemory(byteCount: byteCount))
                    }
                }
                _ = try pool.own(100_000)
                expectSums(pool.statistics())
            }
        }

        /// Address space of gigabytes that comes back from the arena must not be zeroed by hand.
        @Test func aSlabIsNotTouchedWhereNothingIsUsed() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.slabByteCount = 2 << 30
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            let resident = try #require(SystemMemory.residentByteCount())
            for round in 1...4 {
                try pool.own(round << 20, zeroed: true).dirty()
                #expect(try #require(SystemMemory.residentByteCount()) < resident + 64 << 20, "round \(round)")
                pool.trim()
            }
            #expect(base.reservedByteCount == 0)
        }

        /// Slabs of other sizes in the numbers of one that was given back.
        @Test func slabsOfAllSizesComeAndGo() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var random = SeededRandom(SeededRandom.runSeed("SlabTests.slabs"))
            for _ in 0..<40 {
                var live: [(Owned, UInt64)] = []
                for step in 0..<60 {
                    let byteCount = 16_384 << random.below(step % 10 == 0 ? 11 : 6)
                    let buffer = try pool.own(byteCount)
                    buffer.fill(UInt64(step))
                    live.append((buffer, UInt64(step)))
                    if random.below(3) == 0 { live.remove(at: random.below(live.count)) }
                }
                for (buffer, pattern) in live { #expect(buffer.holds(pattern)) }
                // Some of them outlive the trim.
                while live.count > random.below(4) { live.remove(at: random.below(live.count)) }
                pool.trim()
                for (buffer, pattern) in live { #expect(buffer.holds(pattern)) }
            }
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        /// Aligned requests ask for slack, so that a hole as large as the tensor alone is not seen.
        @Test func alignedTensorsThatComeAndGoSettle() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var random = SeededRandom(SeededRandom.runSeed("SlabTests.aligned"))
            var live = try (0..<16).map { _ in try pool.own(1 << 20, alignment: 1 << 20) }
            for _ in 0..<2000 {
                let place = random.below(live.count)
                live.remove(at: place)
                live.append(try pool.own(1 << 20, alignment: 1 << 20))
            }
            let reserved = pool.statistics().reservedBytes
            #expect(reserved <= 2 * 16 << 20, "\(reserved) bytes for 16 MiB")
            #expect(live.allSatisfy { $0.address % (1 << 20) == 0 })
        }
    }
}
