import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    struct HugePageAdviceTests {
        /// What a system's supply of huge pages would take, probe after probe, and what was probed.
        final class Supply: Sendable {
            private let script: Mutex<[UInt64]>
            let probes = Mutex<[Int]>([])

            init(_ nanoseconds: [UInt64]) { script = Mutex(nanoseconds.reversed()) }

            func populate(_ byteCount: Int) -> UInt64 {
                probes.withLock { $0.append(byteCount) }
                return script.withLock { $0.popLast() ?? 300_000 }
            }
        }

        private static func pool(_ supply: Supply, _ policy: HugePagePolicy = .automatic) throws
            -> OptimizedTensorMemoryPool
        {
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.hugePages = policy
            configuration.slabByteCount = 1 << 30
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            pool.front.engine.withState {
                unsafe $0.hugePages.populate = { _, byteCount in supply.populate(byteCount) }
            }
            return pool
        }

        private static func windows(_ pool: OptimizedTensorMemoryPool) -> (huge: Int, small: Int) {
            pool.front.engine.withState { ($0.hugePages.hugeWindows, $0.hugePages.smallWindows) }
        }

        @Test func everyWindowIsProbedOnceWhenItIsReached() throws {
            let supply = Supply([])
            let window = HugePageAdvice.windowByteCount
            let pool = try Self.pool(supply)
            let first = try pool.own(20_000)
            let second = try pool.own(window - (1 << 20))
            #expect(Self.windows(pool) == (1, 0))
            let third = try pool.own(3 * window - (1 << 20))
            #expect(Self.windows(pool) == (4, 0))
            #expect(supply.probes.withLock { $0 } == [2 << 20, 2 << 20, 2 << 20, 2 << 20])
            #expect(first.byteCount + second.byteCount + third.byteCount == 20_000 + 4 * window - (2 << 20))
            // Used again, nothing is asked.
            for _ in 0..<10 { _ = try pool.own(2 * window) }
            expectSums(pool.statistics())
        }

        @Test func aSlowSupplyGetsSmallPagesUntilItIsFastAgain() throws {
            // One interrupted probe, then fast; slow twice; still slow; fast.
            let supply = Supply([5_000_000, 300_000, 17_000_000, 17_000_000, 17_000_000, 300_000])
            let pool = try Self.pool(supply)
            _ = try pool.own(4 * HugePageAdvice.windowByteCount)
            #expect(Self.windows(pool) == (2, 2))
            #expect(supply.probes.withLock { $0.count } == 6)
        }

        @Test func nothingIsAskedWhereHugePagesAreNotWanted() throws {
            let supply = Supply([])
            let pool = try Self.pool(supply, .never)
            _ = try pool.own(100 << 20)
            #expect(Self.windows(pool) == (0, 0) && supply.probes.withLock { $0.isEmpty })
        }

        @Test func tensorsAreWritableAndZeroWhateverThePages() throws {
            for slow in [false, true] {
                let pool = try Self.pool(Supply([UInt64](repeating: slow ? 17_000_000 : 1, count: 8)))
                let tensor = try pool.own(70 << 20, zeroed: true)
                #expect(tensor.isZero)
                tensor.fill(7)
                #expect(tensor.holds(7))
            }
        }
    }
}
