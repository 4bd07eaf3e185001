import Foundation
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// Limits of single pools, and what is asked at a limit.
    @Suite struct PoolLimitTests {
        static let limit = 8 << 20

        private static func report(_ error: TensorPoolError?) -> LimitReport? {
            if case .limitReached(let report) = error { report } else { nil }
        }

        private static func optimized(_ base: HybridMemoryPool, _ byteLimit: Int?) throws -> OptimizedTensorMemoryPool {
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.byteLimit = byteLimit
            return try OptimizedTensorMemoryPool(base, configuration: configuration)
        }

        private static func pools(_ base: HybridMemoryPool) throws -> [any ObservablePool] {
            var adaptive = AdaptiveConfiguration()
            adaptive.optimized = .bare
            adaptive.byteLimit = limit
            return [
                try TensorMemoryPool(base, configuration: .init(byteLimit: limit)), try optimized(base, limit),
                try AdaptiveTensorMemoryPool(base, configuration: adaptive),
            ]
        }

        @Test func aPoolsLimitIsExactAndItsOwn() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 4 * Self.limit))
            let free = try TensorMemoryPool(base)
            for pool in try Self.pools(base) {
                let live = try (0..<8).map { _ in try pool.own(1 << 20) }
                #expect(pool.statistics().reservedBytes == Self.limit)
                for byteCount in [1, 1 << 20, 1 << 30] {
                    let report = try #require(Self.report(pool.refusedBuffer(byteCount)))
                    #expect(report.scope == .pool && report.limit == Self.limit && report.reserved == Self.limit)
                    #expect(report.requested == byteCount && report.live == Self.limit)
                    #expect(report.advice.contains("the pool's byteLimit"), "\(report.advice)")
                }
                #expect(free.refusedBuffer(1 << 20) == nil, "other pools are not under it")
                withExtendedLifetime(live) {}
            }
            #expect(base.trim().releasedBytes >= 0 && base.reservedByteCount == 0)
        }

        @Test func bothLimitsHoldAndTheErrorNamesTheOneInTheWay() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 3 << 20))
            let pool = try Self.optimized(base, Self.limit)
            let live = try (0..<3).map { _ in try pool.own(1 << 20) }
            let report = try #require(Self.report(pool.refusedBuffer(1 << 20)))
            #expect(report.scope == .base && report.limit == 3 << 20)
            // What was tried and given up counts nowhere.
            #expect(pool.front.engine.base.account.taken == 3 << 20 && base.reservedByteCount == 3 << 20)
            withExtendedLifetime(live) {}
        }

        @Test func atItsOwnLimitAPoolTrimsItselfAndNoOther() throws {
            let base = try HybridMemoryPool()
            let (limited, other) = (try Self.optimized(base, Self.limit), try Self.optimized(base, nil))
            for pool in [limited, other] { drop(try pool.allocate(byteCount: 3000)) }
            for pool in [limited, other] { drop(try pool.allocate(byteCount: 6 << 20)) }
            let kept = other.statistics().cachedBytes
            #expect(limited.refusedBuffer(Self.limit) == nil, "what it keeps makes way")
            #expect(other.statistics().cachedBytes == kept, "what another keeps makes no room below this limit")
            #expect(limited.refusedBuffer(Self.limit + 1) != nil)
            #expect(other.statistics().cachedBytes == kept)
        }

        @Test func prewarmingAtItsOwnLimitAPoolTrimsItselfAndNoOther() throws {
            let base = try HybridMemoryPool()
            let (limited, other) = (try Self.optimized(base, Self.limit), try Self.optimized(base, nil))
            for pool in [limited, other] { drop(try pool.allocate(byteCount: 3000)) }
            for pool in [limited, other] { drop(try pool.allocate(byteCount: 6 << 20)) }
            let kept = other.statistics().cachedBytes
            let amounts = OptimizedTensorPoolConfig.Prewarming(
                verySmall: 400 << 10, small: 400 << 10, medium: 0, large: 6 << 20)
            try limited.prewarm(amounts)
            let ready = limited.statistics()
            expectSums(ready)
            // Of each size class up to a block less than its share.
            #expect(ready.prewarmedBytes > amounts.byteCount - 400 << 10, "what it kept made way")
            #expect(other.statistics().cachedBytes == kept, "what another keeps makes no room below this limit")
            for amounts in [
                OptimizedTensorPoolConfig.Prewarming(medium: 0, large: 2 * Self.limit),
                .init(verySmall: 2 * Self.limit),
            ] {
                let error = refusal { () throws(TensorPoolError) in try limited.prewarm(amounts) }
                let report = try #require(Self.report(error))
                #expect(report.scope == .pool && report.limit == Self.limit)
                #expect(other.statistics().cachedBytes == kept)
                expectSums(limited.statistics())
            }
            #expect(limited.refusedBuffer(Self.limit) == nil)
        }

        @Test func anAdaptivePoolsLimitCountsBothStrategies() throws {
            let base = try HybridMemoryPool()
            var configuration = AdaptiveConfiguration()
            configuration.optimized = .bare
            configuration.byteLimit = Self.limit
            let pool = try AdaptiveTensorMemoryPool(base, configuration: configuration)
            for _ in 0..<10 { drop(try pool.standard.allocate(byteCount: 20_000)) }
            drop(try pool.optimized.allocate(byteCount: 6 << 20))
            #expect(pool.standard.statistics().cachedBytes > 0 && pool.optimized.statistics().cachedBytes > 0)
            // What the one strategy keeps makes way for the other.
            #expect(pool.standard.refusedBuffer(Self.limit) == nil)
            #expect(Self.report(pool.standard.refusedBuffer(Self.limit + 1))?.scope == .pool)
        }

        @Test(arguments: [0, -1, Int.min]) func aLimitOfNothingIsRefused(byteLimit: Int) throws {
            let base = try HybridMemoryPool()
            var optimized = OptimizedTensorPoolConfig.bare
            optimized.byteLimit = byteLimit
            var adaptive = AdaptiveConfiguration()
            adaptive.byteLimit = byteLimit
            let errors = [
                refusal { () throws(TensorPoolError) in
                    _ = try TensorMemoryPool(base, configuration: .init(byteLimit: byteLimit))
                },
                refusal { () throws(TensorPoolError) in
                    _ = try OptimizedTensorMemoryPool(base, configuration: optimized)
                },
                refusal { () throws(TensorPoolError) in
                    _ = try AdaptiveTensorMemoryPool(base, configuration: adaptive)
                },
            ]
            for error in errors {
                guard case .invalidConfiguration("byteLimit", "\(byteLimit)", _) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
        }

        @Test func theHandlerIsAskedLastAndMayFree() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
            let pool = try Self.optimized(base, nil)
            let held = Mutex<[Owned]>([])
            for _ in 0..<7 { held.withLock { $0.append(try! pool.own(1 << 20)) } }
            let reports = Mutex<[LimitReport]>([])
            base.setLimitHandler { report in
                reports.withLock { $0.append(report) }
                // One of them is freed, by a handler that itself allocates and looks at figures.
                let victim = held.withLock { $0.popLast() }
                _ = pool.refusedBuffer(4 << 20)
                return victim == nil ? .fail : .retry
            }
            drop(try pool.allocate(byteCount: 1 << 20))
            drop(try pool.allocate(byteCount: 800_000))
            #expect(reports.withLock { $0.isEmpty }, "what is idle goes first")
            drop(try pool.allocate(byteCount: 3 << 20))
            #expect(reports.withLock { $0.count } == 2 && held.withLock { $0.count } == 5)
            let report = try #require(reports.withLock { $0.first })
            #expect(
                report.limit == Self.limit && report.cached == 0 && report.live == 7 << 20 && report.needed == 3 << 20)
            base.setLimitHandler(nil)
            #expect(Self.report(pool.refusedBuffer(4 << 20)) != nil)
            #expect(reports.withLock { $0.count } == 2)
        }

        @Test func aHandlerThatLiesIsAskedAFewTimes() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
            let pool = try Self.optimized(base, nil)
            let live = try pool.own(Self.limit)
            let calls = Atomic<Int>(0)
            base.setLimitHandler { _ in
                calls.add(1, ordering: .relaxed)
                return .retry
            }
            #expect(Self.report(pool.refusedBuffer(1000)) != nil)
            #expect(calls.load(ordering: .relaxed) == LimitHandler.maximumCalls)
            withExtendedLifetime(live) {}
        }

        /// 64 threads on a base and two pools with limits of their own: none is exceeded at any instant.
        @Test(.timeLimit(.minutes(10))) func noLimitIsExceededByAByteUnder64Threads() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 12 << 20))
            let first = try Self.optimized(base, Self.limit)
            let second = try TensorMemoryPool(base, configuration: .init(byteLimit: 6 << 20))
            let accounts = [base.memory.account, first.front.engine.base.account, second.front.engine.base.account]
            #expect(accounts.map(\.limit) == [12 << 20, Self.limit, 6 << 20])
            let seed = SeededRandom.runSeed("PoolLimitTests")
            let highest = (0..<3).map { _ in Counter() }
            // By the threads' own count: of the base, of each pool.
            let held = (0..<3).map { _ in HeldBytes() }
            let kept = Mutex<[HeldTensor]>([])
            let (refusals, working) = (Counter(), Counter(64))
            onThreads(65) { thread in
                func sample() {
                    for (account, peak) in zip(accounts, highest) { peak.raise(to: account.taken) }
                }
                if thread == 64 {
                    while working.value > 0 { sample() }
                    return
                }
                var random = SeededRandom(seed &+ UInt64(thread))
                var live: [HeldTensor] = []
                // Freed only when refused, and on average more than the base lets one thread have.
                for _ in 0..<24 {
                    let byteCount = 1 + random.below(random.below(3) == 0 ? 4 << 20 : 60_000)
                    do throws(TensorPoolError) {
                        live.append(
                            random.below(2) == 0
                                ? HeldTensor(try first.own(byteCount), in: held[0], held[1])
                                : HeldTensor(try second.own(byteCount), in: held[0], held[2]))
                    } catch {
                        guard case .limitReached(let report) = error, report.reserved <= report.limit else {
                            Issue.record("\(error)")
                            continue
                        }
                        refusals.add(1)
                        live.removeFirst(live.count / 2)
                    }
                    sample()
                }
                kept.withLock { $0 += live }
                working.add(-1)
            }
            for (account, peak) in zip(accounts, highest) {
                #expect(peak.value <= account.limit && peak.value > account.limit / 2)
            }
            // Accounts bound themselves; what is really there may not be more.
            for (account, held) in zip(accounts, held) {
                #expect(held.peak <= account.limit && held.peak > account.limit / 2)
            }
            #expect(held[0].now > 0)
            if let backendBytes = try base.heldByteCount() {
                #expect((held[0].now...base.reservedByteCount).contains(backendBytes))
            }
            kept.withLock { $0 = [] }
            #expect(refusals.value > 0)
            base.trim()
            #expect(accounts.map(\.taken) == [0, 0, 0])
        }
    }
}

/// A number that threads share.
final class Counter: Sendable {
    private let number: Atomic<Int>
    init(_ value: Int = 0) { number = Atomic(value) }
    var value: Int { number.load(ordering: .relaxed) }
    func add(_ amount: Int) { number.add(amount, ordering: .relaxed) }
    func raise(to value: Int) { number.max(value, ordering: .relaxed) }
}
