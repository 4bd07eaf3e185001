import Foundation
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    struct LimitTests {
        static let limit = 16 << 20

        private static func report(_ error: TensorPoolError?) -> LimitReport? {
            if case .limitReached(let report) = error { report } else { nil }
        }

        @Test(arguments: PoolCase.kinds)
        func theLimitIsExact(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) throws {
                pool.trim()
                var live = try (0..<16).map { _ in try pool.own(1 << 20) }
                #expect(base.reservedByteCount == Self.limit)
                for byteCount in [1, 1 << 20, 1 << 30] {
                    let before = pool.statistics()
                    let report = try #require(Self.report(pool.refusedBuffer(byteCount)))
                    #expect(report.requested == byteCount && report.needed >= min(byteCount, 16 << 10))
                    #expect(report.limit == Self.limit && report.reserved == Self.limit)
                    #expect(report.live == Self.limit && report.cached == 0 && !report.advice.isEmpty)
                    let advice = byteCount > Self.limit ? "larger than the limit" : "live tensors"
                    #expect(report.advice.contains(advice), "\(report.advice)")
                    #expect(Self.report(pool.refusedTensor(byteCount)) == report)
                    #expect(pool.statistics() == before)
                }
                live.removeLast()
                live.append(try pool.own(1 << 20))
                live.removeLast()
                live.append(try pool.own(100))
                #expect(base.reservedByteCount <= Self.limit)
            }
            try check(pool)
        }

        @Test func weightsCountByThePage() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var weights: [Owned] = []
            while let weight = try? pool.own(100_000, TensorTraits(role: .weight)) { weights.append(weight) }
            #expect(weights.count == Self.limit / ((100_000 + 63) & -64))
            #expect(base.reservedByteCount <= Self.limit && base.reservedByteCount > Self.limit - 100_000)
            #expect(pool.statistics().weightAllocations == weights.count)
            weights = []
            #expect(base.reservedByteCount == 0)
        }

        @Test func aWeightThatDoesNotFitLeavesNothing() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 1 << 20))
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            for byteCount in [2 << 20, 100 << 20, 200 << 20] {
                let error = pool.refusedBuffer(byteCount, TensorTraits(role: .weight))
                #expect(Self.report(error)?.requested == byteCount)
            }
            pool.trim()
            let chunks = pool.front.engine.withState { $0.weights.chunks.count }
            #expect(chunks == 0, "a trim gives chunks without weights back")
        }

        @Test func aRequestOverTheLimitMapsNothing() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            _ = try pool.own(20_000)
            let before = pool.statistics()
            for byteCount in [Self.limit + 1, 1 << 30, 1 << 40, Engine.maximumByteCount] {
                #expect(Self.report(pool.refusedBuffer(byteCount))?.requested == byteCount)
                #expect(Self.report(pool.refusedTensor(byteCount))?.requested == byteCount)
            }
            #expect(pool.statistics().metadataBytes <= before.metadataBytes, "the heap did not grow for it")
        }

        @Test(arguments: PoolCase.kinds)
        func moreThanThereIsIsRefused(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) {
                // The system may promise it, or refuse: never a trap, and no bitmap of gigabytes.
                let error = pool.refusedBuffer(Engine.maximumByteCount)
                #expect(error == nil || error == .outOfMemory(byteCount: Engine.maximumByteCount))
                #expect(pool.statistics().metadataBytes < 64 << 20)
                #expect(pool.refusedBuffer(1000) == nil)
            }
            check(pool)
            #expect(pool.statistics().liveTensors == 0)
        }

        @Test func whatOnePoolKeepsIsGivenToAnother() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.threadSpanCacheByteLimit = 16 << 20
            let first = try OptimizedTensorMemoryPool(base, configuration: configuration)
            let second = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let third = try TensorMemoryPool(base)
            for _ in 0..<3 {
                for byteCount in [10 << 20, 3000, 14_000] { drop(try first.allocate(byteCount: byteCount)) }
                #expect(first.statistics().cachedBytes > 10 << 20)
                drop(try second.allocate(byteCount: 12 << 20))
                #expect(first.statistics().cachedBytes == 0)
                #expect(second.statistics().cachedBytes == 12 << 20)
                drop(try third.allocate(byteCount: 14 << 20))
                #expect(second.statistics().cachedBytes == 0)
                drop(try base.allocate(byteCount: 15 << 20))
                #expect(base.reservedByteCount <= Self.limit)
            }
            // What another thread keeps, too.
            onAnotherThread {
                drop(try! first.allocate(byteCount: 9 << 20))
                #expect(second.refusedBuffer(9 << 20) == nil)
            }
            let gate = Gate()
            let ready = Gate()
            let keeper = SystemThread {
                drop(try! first.allocate(byteCount: 9 << 20))
                ready.open()
                gate.wait()
            }
            ready.wait()
            #expect(second.refusedBuffer(9 << 20) == nil)
            gate.open()
            keeper.join()
        }

        @Test func theLimitHoldsAtEveryInstant() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
            let pools: [any TensorAllocator] = [
                base, try TensorMemoryPool(base), try OptimizedTensorMemoryPool(base, configuration: .bare),
            ]
            let isDone = Atomic<Bool>(false)
            let highest = Atomic<Int>(0)
            let held = HeldBytes()
            let kept = Mutex<[HeldTensor]>([])
            let refusals = Atomic<Int>(0)
            let served = Atomic<Int>(0)
            let seed = SeededRandom.runSeed("LimitTests")
            onThreads(5) { thread in
                if thread == 0 {
                    while !isDone.load(ordering: .relaxed) {
                        highest.max(base.reservedByteCount, ordering: .relaxed)
                    }
                    return
                }
                var random = SeededRandom(seed &+ UInt64(thread))
                var live: [HeldTensor] = []
                for _ in 0..<1500 {
                    let pool = pools[random.below(3)]
                    let role = TensorRole.allCases[random.below(3)]
                    let byteCount = 1 + random.below(random.below(3) == 0 ? 2 << 20 : 60_000)
                    do throws(TensorPoolError) {
                        live.append(HeldTensor(try pool.own(byteCount, TensorTraits(role: role)), in: held))
                        served.add(1, ordering: .relaxed)
                        highest.max(base.reservedByteCount, ordering: .relaxed)
                    } catch {
                        if case .limitReached(let report) = error {
                            refusals.add(1, ordering: .relaxed)
                            live.removeFirst(live.count / 2)
                            if report.reserved > report.limit { Issue.record("\(report)") }
                        } else {
                            Issue.record("\(error)")
                        }
                    }
                    while live.count > 10 { live.remove(at: random.below(live.count)) }
                }
                kept.withLock { $0 += live }
                if thread == 1 { isDone.store(true, ordering: .relaxed) }
            }
            // Accounts bound themselves; what is really there may not be more.
            #expect(held.peak <= Self.limit && held.peak > Self.limit / 2)
            #expect(held.now > 0)
            if let backendBytes = try base.heldByteCount() {
                #expect((held.now...base.reservedByteCount).contains(backendBytes))
            }
            kept.withLock { $0 = [] }
            #expect(highest.load(ordering: .relaxed) <= Self.limit)
            #expect(highest.load(ordering: .relaxed) > Self.limit / 2)
            #expect(refusals.load(ordering: .relaxed) > 0 && served.load(ordering: .relaxed) > 1000)
            let statistics = base.statistics()
            expectSums(statistics)
            #expect(statistics.liveTensors == 0 && statistics.allocations == served.load(ordering: .relaxed))
            withExtendedLifetime(pools) {}
            base.trim()
            #expect(base.reservedByteCount == 0)
        }
    }
}
