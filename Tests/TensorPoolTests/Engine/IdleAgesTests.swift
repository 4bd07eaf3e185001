import Foundation
import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    @Suite struct IdleAgesTests {
        private static let second: UInt64 = 1_000_000_000

        @Test func aLowWaterMarkIsTheLeastOfATime() {
            var mark = LowWaterMark()
            mark.note(lowest: 9, at: 100)
            #expect(mark.lowest(within: 50, of: 100) == 0, "one look tells of no time")
            mark.note(lowest: 5, at: 130)
            #expect(mark.lowest(within: 50, of: 130) == 0)
            mark.note(lowest: 7, at: 150)
            #expect(mark.lowest(within: 50, of: 150) == 5)
            mark.note(lowest: 8, at: 180)
            #expect(mark.lowest(within: 50, of: 180) == 7)
            mark.lower(by: 6)
            #expect(mark.lowest(within: 50, of: 180) == 1)
            // Longer between two looks than the time: the whole of it counts.
            mark.note(lowest: 3, at: 1000)
            #expect(mark.lowest(within: 50, of: 1000) == 3)
        }

        /// A model of it: the least of a figure over every moment of a time, the figure changing at random.
        @Test func aLowWaterMarkNeverSaysMoreThanTheTruth() {
            var random = SeededRandom(SeededRandom.runSeed("IdleAgesTests"))
            for _ in 0..<200 {
                var mark = LowWaterMark()
                var history: [Int] = []
                var lowest = Int.max
                let age = 1 + random.below(40)
                for moment in 0..<200 {
                    history.append(random.below(20))
                    lowest = min(lowest, history[moment])
                    guard random.below(4) == 0 else { continue }
                    mark.note(lowest: lowest, at: UInt64(moment))
                    lowest = history[moment]
                    let said = mark.lowest(within: UInt64(age), of: UInt64(moment))
                    let truth = history[max(0, moment - age)...moment].min()!
                    if said > truth { Issue.record("\(said) of \(truth) at \(moment)") }
                }
            }
        }

        private static func pool(_ base: HybridMemoryPool, after: Duration?) throws -> OptimizedTensorMemoryPool {
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.idleReleaseAfter = after
            return try OptimizedTensorMemoryPool(base, configuration: configuration)
        }

        /// Looks once a second, doing some work before each. Returns when how many bytes went back.
        private static func look(
            _ base: HybridMemoryPool, from start: UInt64, seconds: Int, _ work: () throws -> Void = {}
        ) throws -> [Int] {
            try (0..<seconds).map { second in
                try work()
                return base.releaseIdle(at: start + UInt64(second) * Self.second).releasedBytes
            }
        }

        @Test func idleMemoryGoesBackByItsAge() throws {
            let base = try HybridMemoryPool()
            let (pool, kept) = (try Self.pool(base, after: .seconds(8)), try Self.pool(base, after: nil))
            for pool in [pool, kept] {
                var held: [Owned] = []
                for _ in 0..<100 { held.append(try pool.own(8 << 10)) }
                held.append(try pool.own(6 << 20))
                held.append(try pool.own(30_000))
            }
            let idle = pool.statistics().cachedBytes
            let released = try Self.look(base, from: 1000 * Self.second, seconds: 12)
            #expect(released.prefix(8).allSatisfy { $0 == 0 }, "\(released)")
            #expect(released.reduce(0, +) == idle && pool.statistics().reservedBytes == 0, "\(released)")
            expectSums(pool.statistics())
            #expect(kept.statistics().cachedBytes == idle, "a pool that keeps it for ever")
        }

        @Test func whatGoesBackIsMeasuredByResidentMemory() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(base, after: .seconds(8))
            try pool.own(64 << 20).dirty()
            let results = (0..<12).map { base.releaseIdle(at: (1000 + $0) * Self.second) }
            let release = try found(results.first { $0.releasedBytes > 0 })
            #expect(release.releasedBytes == 64 << 20)
            let returned = try #require(release.residentBytesReturned)
            #expect(returned > 60 << 20, "\(returned)")
        }

        @Test func whatIsUsedStays() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(base, after: .seconds(8))
            func use() throws {
                var held: [Owned] = []
                for _ in 0..<20 { held.append(try pool.own(8 << 10)) }
                held.append(try pool.own(2 << 20))
            }
            // Once much more was needed.
            do {
                var held: [Owned] = []
                for _ in 0..<500 { held.append(try pool.own(8 << 10)) }
                held.append(try pool.own(32 << 20))
            }
            let before = pool.statistics().cachedBytes
            _ = try Self.look(base, from: 1000 * Self.second, seconds: 20, use)
            let after = pool.statistics()
            #expect(after.cachedBytes < before / 4, "\(after.cachedBytes) of \(before)")
            let allocations = after.backendAllocations
            try use()
            #expect(pool.statistics().backendAllocations == allocations, "what is needed every second is there")
        }

        @Test func prewarmedMemoryThatNobodyUsesGoesBackToo() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.enablePrewarming = true
            configuration.prewarming = .init(verySmall: 256 << 10, medium: 4 << 20, large: 0)
            configuration.idleReleaseAfter = .seconds(8)
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            #expect(pool.statistics().prewarmedBytes > 4 << 20)
            let released = try Self.look(base, from: 1000 * Self.second, seconds: 12)
            #expect(released.prefix(8).allSatisfy { $0 == 0 })
            #expect(pool.statistics().reservedBytes == 0)
        }

        @Test func otherThreadsCachesAreSeen() throws {
            let base = try HybridMemoryPool()
            let pool = try TensorMemoryPool(base, configuration: .init(idleReleaseAfter: .seconds(8)))
            let (ready, gate) = (Gate(), Gate())
            let keeper = SystemThread {
                for _ in 0..<5 { drop(try! pool.allocate(byteCount: 4000)) }
                ready.open()
                gate.wait()
            }
            ready.wait()
            #expect(pool.statistics().cachedBytes > 0)
            _ = try Self.look(base, from: 1000 * Self.second, seconds: 12)
            #expect(pool.statistics().reservedBytes == 0)
            gate.open()
            keeper.join()
        }

        @Test func aMonitorReleasesByAge() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(base, after: .seconds(8))
            drop(try pool.allocate(byteCount: 6 << 20))
            let time = Counter(1000)
            let monitor = try MemoryPressureMonitor(
                base, sources: .init([]), clock: { UInt64(time.value) * Self.second })
            var event: MemoryPressureEvent?
            for _ in 0..<12 where event == nil {
                event = monitor.look()
                time.add(1)
            }
            #expect(
                event?.idleRelease?.releasedBytes == 6 << 20 && event?.trim == nil
                    && event?.level == MemoryPressureLevel.none)
        }

        @Test(arguments: [Duration.zero, .seconds(-1), .seconds(Int64.max)])
        func anAgeThatCannotBeIsRefused(age: Duration) throws {
            let base = try HybridMemoryPool()
            for error in [
                refusal { () throws(TensorPoolError) in
                    _ = try TensorMemoryPool(base, configuration: .init(idleReleaseAfter: age))
                },
                refusal { () throws(TensorPoolError) in
                    var configuration = OptimizedTensorPoolConfig.bare
                    configuration.idleReleaseAfter = age
                    _ = try OptimizedTensorMemoryPool(base, configuration: configuration)
                },
            ] {
                guard case .invalidConfiguration("idleReleaseAfter", _, _) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
        }
    }
}
