import Foundation
import Testing

@testable import TensorPool

extension PoolTests {
    @Suite struct TrimTests {
        private static func fill(_ pool: some TensorAllocator) throws {
            var held: [Owned] = []
            for _ in 0..<64 { held.append(try pool.own(8 << 10)) }
            for _ in 0..<16 { held.append(try pool.own(1 << 20)) }
            for tensor in held { tensor.dirty() }
        }

        @Test(arguments: PoolCase.all) func trimToLeavesAtMostThatMuch(_ kind: PoolCase) throws {
            let base = try HybridMemoryPool()
            guard let pool = try kind.make(base) as? any ObservablePool else {
                Issue.record("\(kind) tells nothing of itself")
                return
            }
            func check(_ pool: some ObservablePool) throws {
                let live = try pool.own(100_000)
                live.fill(1)
                try Self.fill(pool)
                for share in [0.9, 0.5, 0.1, 0] {
                    let before = pool.statistics()
                    let idle = before.cachedBytes + before.prewarmedBytes
                    let target = before.reservedBytes - idle + Int(Double(idle) * share)
                    let result = pool.trim(to: target)
                    let after = pool.statistics()
                    expectSums(after)
                    #expect(after.reservedBytes <= target)
                    #expect(result.releasedBytes == before.reservedBytes - after.reservedBytes)
                    #expect(pool.trim(to: target).releasedBytes == 0, "it is there already")
                }
                #expect(pool.statistics().cachedBytes + pool.statistics().prewarmedBytes == 0)
                for byteCount in [0, -1, Int.min, Int.max] { #expect(pool.trim(to: byteCount).releasedBytes == 0) }
                #expect(live.holds(1))
            }
            try check(pool)
        }

        @Test func whatComesBackIsMeasuredByResidentMemory() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            for work in [{ pool.trim() }, { pool.trim(to: 0) }, { base.trim() }, { base.trim(to: 0) }] {
                try pool.own(64 << 20).dirty()
                let result = work()
                #expect(result.releasedBytes == 64 << 20)
                let returned = try #require(result.residentBytesReturned)
                // Beside the test's own memory, and what the kernel counts late.
                #expect(abs(returned - 64 << 20) < 4 << 20, "\(returned)")
            }
        }

        @Test func sharedMemoryGoesBeforeThreadsCaches() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            drop(try pool.allocate(byteCount: 1000))
            try Self.fill(pool)
            pool.trim(to: pool.statistics().reservedBytes - (1 << 20))
            let before = pool.statistics().cacheHits
            drop(try pool.allocate(byteCount: 1000))
            #expect(pool.statistics().cacheHits == before + 1, "the thread still has its block")
            pool.trim(to: 0)
            drop(try pool.allocate(byteCount: 1000))
            #expect(pool.statistics().cacheHits == before + 1, "now it has none")
        }
    }
}
