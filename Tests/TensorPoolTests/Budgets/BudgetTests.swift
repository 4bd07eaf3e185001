import Foundation
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    @Suite struct BudgetTests {
        /// A budgeted buffer that can be stored.
        private final class Held: Sendable {
            let buffer: TensorBuffer
            init(_ buffer: consuming TensorBuffer) { self.buffer = buffer }
        }

        private static func refused<Upstream>(_ scoped: BudgetedAllocator<Upstream>, _ byteCount: Int) -> LimitReport? {
            let error = refusal { () throws(TensorPoolError) in _ = try scoped.allocate(byteCount: byteCount) }
            if case .limitReached(let report) = error { return report }
            return nil
        }

        private static func pool() throws -> OptimizedTensorMemoryPool {
            try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
        }

        @Test(arguments: PoolCase.kinds) func liveBytesCountToTheByte(_ kind: PoolCase) throws {
            let pool = try kind.make(HybridMemoryPool())
            func check(_ pool: some TensorAllocator) throws {
                let outside = try pool.own(5000)
                try pool.withBudget(1000) { scoped in
                    var buffer = try scoped.allocate(byteCount: 999)
                    #expect(scoped.liveByteCount == 999 && scoped.byteLimit == 1000)
                    let report = try found(Self.refused(scoped, 2))
                    #expect(report.scope == .budget && report.limit == 1000 && report.live == 999)
                    #expect(report.requested == 2 && report.advice.contains("leave 1 bytes of the budget"))
                    #expect(Self.refused(scoped, 1001)?.advice.contains("at least 1001") ?? false)
                    let last = try scoped.allocate(byteCount: 1)
                    #expect(scoped.liveByteCount == 1000)
                    buffer.fill(with: 7)
                    let written = unsafe buffer.bytes.unsafeLoad(fromByteOffset: 998, as: UInt8.self)
                    #expect(buffer.byteCount == 999 && written == 7)
                    _ = consume buffer
                    #expect(scoped.liveByteCount == 1)
                    _ = consume last
                    #expect(scoped.liveByteCount == 0)
                    drop(try pool.allocate(byteCount: 100_000))
                    #expect(scoped.liveByteCount == 0, "only what is allocated through it counts")
                }
                withExtendedLifetime(outside) {}
            }
            try check(pool)
        }

        @Test func theBytesCanBeReadAndWritten() throws {
            try Self.pool().withBudget(1 << 20) { scoped in
                var buffer = try scoped.allocate(byteCount: 64, alignment: 4096, zeroed: true)
                let address = unsafe UInt(bitPattern: buffer.baseAddress)
                #expect(address % 4096 == 0)
                var floats = buffer.mutableSpan(of: Float.self)
                floats[15] = 3
                #expect(buffer.span(of: Float.self)[15] == 3 && buffer.span(of: Float.self)[0] == 0)
                var bytes = buffer.mutableBytes
                bytes.storeBytes(of: 1, toByteOffset: 0, as: UInt8.self)
                let first = unsafe buffer.withUnsafeMutableBytes { unsafe $0[0] }
                #expect(first == 1)
            }
        }

        @Test func budgetsNest() throws {
            let pool = try Self.pool()
            try pool.withBudget(1000) { outer in
                let first = try outer.allocate(byteCount: 300)
                let survivor = try outer.withBudget(500) { inner in
                    let survivor = try inner.allocate(byteCount: 400)
                    #expect(inner.liveByteCount == 400 && outer.liveByteCount == 700)
                    #expect(Self.refused(inner, 101)?.limit == 500)
                    #expect(inner.liveByteCount == 400 && outer.liveByteCount == 700, "what failed counts nowhere")
                    // The enclosing budget holds as well.
                    inner.withBudget(10_000) { innermost in
                        #expect(Self.refused(innermost, 101)?.limit == 500)
                    }
                    return survivor
                }
                // The inner budget is over; what it left behind counts on here.
                #expect(outer.liveByteCount == 700)
                try outer.withBudget(10_000) { inner in
                    let report = try found(Self.refused(inner, 301))
                    #expect(report.limit == 1000 && report.advice.contains("enclosing"))
                    _ = try inner.allocate(byteCount: 300)
                }
                _ = consume survivor
                #expect(outer.liveByteCount == 300)
                _ = consume first
                #expect(outer.liveByteCount == 0)
            }
        }

        @Test func aBufferThatOutlivesItsScopeGivesItsShareBack() throws {
            let budget = BudgetedAllocator(try Self.pool(), byteLimit: 1000)
            let survivor = Mutex<Held?>(nil)
            try budget.withBudget(600) { inner in
                let held = Held(try inner.allocate(byteCount: 600))
                survivor.withLock { $0 = held }
            }
            #expect(budget.liveByteCount == 600)
            onAnotherThread { survivor.withLock { $0 = nil } }
            #expect(budget.liveByteCount == 0)
        }

        /// One thread has the wrong id of a tensor that another frees.
        @Test func aRefusedFreeTakesNoTensorOutOfTheCount() throws {
            let budget = BudgetedAllocator(try Self.pool(), byteLimit: 1 << 20)
            let tensor = Mutex<MemoryHandle?>(nil)
            let isOver = Atomic(false)
            let mistaken = SystemThread {
                while !isOver.load(ordering: .acquiring) {
                    if let handle = tensor.withLock({ $0 }) { try? budget.deallocateTensor(id: 9, handle) }
                }
            }
            for _ in 0..<20_000 {
                let handle = try budget.allocateTensor(id: 1, byteCount: 700)
                tensor.withLock { $0 = handle }
                try budget.deallocateTensor(id: 1, handle)
            }
            isOver.store(true, ordering: .releasing)
            mistaken.join()
            #expect(budget.liveByteCount == 0)
        }

        @Test func tensorsWithHandlesCountUntilTheyAreFreed() throws {
            let pool = try Self.pool()
            let outer = BudgetedAllocator(pool, byteLimit: 1000)
            let inner = outer.withBudget(800) { $0 }
            let handle = try inner.allocateTensor(id: 1, byteCount: 700)
            #expect(inner.liveByteCount == 700 && outer.liveByteCount == 700)
            #expect(
                refusal { () throws(TensorPoolError) in _ = try inner.allocateTensor(id: 2, byteCount: 101) } != nil)
            // Refused frees change nothing.
            #expect(
                refusal { () throws(TensorPoolError) in try inner.deallocateTensor(id: 9, handle) }
                    == .wrongTensorID(given: 9, handle: 1))
            #expect(inner.liveByteCount == 700)
            // Any budget of the nest frees it.
            try outer.deallocateTensor(id: 1, handle)
            #expect(inner.liveByteCount == 0 && outer.liveByteCount == 0)
            #expect(
                refusal { () throws(TensorPoolError) in try inner.deallocateTensor(id: 1, handle) }
                    == .freedTwice(tensorID: 1))
            #expect(inner.liveByteCount == 0 && outer.liveByteCount == 0)
            // The pool's own tensor through the budget: freed, and counted nowhere.
            let other = try pool.allocateTensor(id: 3, byteCount: 50)
            try outer.deallocateTensor(id: 3, other)
            #expect(outer.liveByteCount == 0)
            // Freed in the pool, a tensor counts until the budget hears of it.
            let strayed = try outer.allocateTensor(id: 4, byteCount: 60)
            try pool.deallocateTensor(id: 4, strayed)
            #expect(outer.liveByteCount == 60)
            #expect(refusal { () throws(TensorPoolError) in try outer.deallocateTensor(id: 4, strayed) } != nil)
            #expect(outer.liveByteCount == 0)
        }

        @Test func whatThePoolRefusesCountsNowhere() throws {
            let budget = BudgetedAllocator(
                try HybridMemoryPool(configuration: .init(byteLimit: 1 << 20)), byteLimit: .max)
            for byteCount in [0, -1, Int.min, Int.max, 2 << 20] {
                #expect(
                    refusal { () throws(TensorPoolError) in _ = try budget.allocate(byteCount: byteCount) } != nil)
                #expect(
                    refusal { () throws(TensorPoolError) in
                        _ = try budget.allocateTensor(id: 1, byteCount: byteCount)
                    } != nil)
                #expect(budget.liveByteCount == 0)
            }
            for limit in [0, -1, Int.min] {
                budget.upstream.withBudget(limit) { #expect(Self.refused($0, 1)?.limit == limit) }
            }
        }

        @Test func theHandlerMayFree() throws {
            let pool = try Self.pool()
            let held = Mutex<[Held]>([])
            let calls = Counter()
            let budget = BudgetedAllocator(pool, byteLimit: 1000) { report in
                calls.add(1)
                #expect(report.scope == .budget)
                return held.withLock { $0.popLast() } == nil ? .fail : .retry
            }
            for _ in 0..<10 {
                let next = Held(try budget.allocate(byteCount: 100))
                held.withLock { $0.append(next) }
            }
            _ = try budget.allocate(byteCount: 250)
            #expect(calls.value == 3 && held.withLock { $0.count } == 7)
            // An inner budget without a handler asks the one around it.
            try budget.withBudget(900) { _ = try $0.allocate(byteCount: 400) }
            #expect(calls.value == 4 && held.withLock { $0.count } == 6)
            #expect(Self.refused(budget, 1001) != nil)
            #expect(calls.value <= 4 + LimitHandler.maximumCalls)
        }

        @Test func asynchronousScopes() async throws {
            let pool = try Self.pool()
            try await pool.withBudget(100) { scoped in
                await Task.yield()
                let buffer = try scoped.allocate(byteCount: 60)
                await scoped.withBudget(100) { inner in
                    await Task.yield()
                    #expect(Self.refused(inner, 41) != nil)
                }
                #expect(scoped.liveByteCount == 60)
                _ = consume buffer
            }
        }

        /// Two budgets and a plan, each in front of the other: a buffer counts in both and goes back to its place.
        @Test func budgetsInFrontOfBudgetsAndPlans() throws {
            let pool = try Self.pool()
            let layout = try StaticPlanLayout(
                allocations: [.init(offset: 0, byteCount: 4096)], byteCount: 4096, alignment: 4096)
            let inner = BudgetedAllocator(try StaticPlan(layout, upstream: pool), byteLimit: 10_000)
            let outer = BudgetedAllocator(inner, byteLimit: 5000)
            for step in 1...3 {
                inner.upstream.beginStep()
                let planned = try outer.allocate(byteCount: 4096)
                #expect(inner.upstream.counts.served == step, "the place is free again")
                var other = try inner.allocate(byteCount: 3000)
                #expect(outer.liveByteCount == 4096 && inner.liveByteCount == 7096)
                #expect(Self.refused(outer, 905)?.limit == 5000 && Self.refused(inner, 2905)?.limit == 10_000)
                #expect(outer.liveByteCount == 4096 && inner.liveByteCount == 7096)
                try outer.reallocate(&other, byteCount: 100)
                #expect(outer.liveByteCount == 4196 && inner.liveByteCount == 4196 && other.byteCount == 100)
                _ = consume planned
                #expect(outer.liveByteCount == 100 && inner.liveByteCount == 100)
                _ = consume other
                #expect(outer.liveByteCount == 0 && inner.liveByteCount == 0)
            }
            #expect(pool.statistics().liveTensors == 1, "the plan's slab")
        }

        /// A budget's tensor that is resized counts as what it is then, in the budget that paid for it.
        @Test func resizedTensorsCountAsTheyAre() throws {
            let pool = try Self.pool()
            let outer = BudgetedAllocator(pool, byteLimit: 1 << 20)
            let inner = outer.withBudget(600_000) { $0 }
            var handle = try inner.allocateTensor(id: 1, byteCount: 300_000)
            for byteCount in [310_000, 200_000, 590_000, 100, 20_000] {
                // A move has both tensors for a while; make room for that in the budget it moves in.
                handle = try outer.reallocateTensor(id: 1, handle, byteCount: byteCount)
                #expect(outer.liveByteCount == byteCount && handle.byteCount == byteCount)
            }
            try outer.deallocateTensor(id: 1, handle)
            #expect(outer.liveByteCount == 0 && inner.liveByteCount == 0)

            handle = try inner.allocateTensor(id: 1, byteCount: 400_000)
            let refused = refusal { () throws(TensorPoolError) in
                _ = try inner.reallocateTensor(id: 1, handle, byteCount: 600_001)
            }
            guard case .limitReached(let report) = refused else { throw NothingFound() }
            #expect(report.limit == 600_000 && inner.liveByteCount == 400_000)
            #expect(
                refusal { () throws(TensorPoolError) in _ = try inner.reallocateTensor(id: 2, handle, byteCount: 5) }
                    == .wrongTensorID(given: 2, handle: 1))
            #expect(inner.liveByteCount == 400_000)
            let stray = try pool.allocateTensor(id: 3, byteCount: 100_000)
            let resized = try inner.reallocateTensor(id: 3, stray, byteCount: 90_000)
            #expect(inner.liveByteCount == 400_000, "the pool's own, resized where it is, counts nowhere")
            try inner.deallocateTensor(id: 3, resized)
            try inner.deallocateTensor(id: 1, handle)
            #expect(inner.liveByteCount == 0 && pool.statistics().liveTensors == 0)
        }

        /// Scopes come and go by the thousand: what tells them apart is used again.
        @Test func numbersOfScopesComeBack() throws {
            let pool = try Self.pool()
            for _ in 0..<20_000 {
                try pool.withBudget(1000) { drop(try $0.allocate(byteCount: 1000)) }
            }
            let survivors = try (0..<2000).map { _ in
                try pool.withBudget(1000) { Held(try $0.allocate(byteCount: 1000)) }
            }
            #expect(survivors.allSatisfy { $0.buffer.byteCount == 1000 })
            #expect(ObserverRegistry.usedCount < 3000, "\(ObserverRegistry.usedCount)")
        }

        /// 64 threads on two budgets, one in the other: what they hold is counted apart and never exceeds a budget.
        @Test(.timeLimit(.minutes(10))) func noBudgetIsExceededByAByteUnder64Threads() throws {
            let pool = try Self.pool()
            let outer = BudgetedAllocator(pool, byteLimit: 1 << 20)
            let inner = outer.withBudget(600_000) { $0 }
            let seed = SeededRandom.runSeed("BudgetTests")
            let (refusals, served, working, peak) = (Counter(), Counter(), Counter(64), Counter())
            // Bytes that threads hold: counted up after an allocation and down before a free, so never above the truth.
            let (heldInner, heldOuter) = (Counter(), Counter())
            onThreads(65) { thread in
                if thread == 64 {
                    while working.value > 0 {
                        peak.raise(to: outer.liveByteCount)
                        let (all, some) = (heldOuter.value, heldInner.value)
                        if all > 1 << 20 || some > 600_000 { Issue.record("\(all), \(some)") }
                        if outer.liveByteCount > 1 << 20 || inner.liveByteCount > 600_000 { Issue.record("over") }
                    }
                    return
                }
                var random = SeededRandom(seed &+ UInt64(thread))
                var live: [(buffer: Held, isInner: Bool)] = []
                func free(_ place: Int) {
                    let (buffer, isInner) = live[place]
                    heldOuter.add(-buffer.buffer.byteCount)
                    if isInner { heldInner.add(-buffer.buffer.byteCount) }
                    live.remove(at: place)
                }
                for _ in 0..<200 {
                    let isInner = random.below(2) == 0
                    let byteCount = 1 + random.below(20_000)
                    do throws(TensorPoolError) {
                        let buffer = Held(try (isInner ? inner : outer).allocate(byteCount: byteCount))
                        live.append((buffer, isInner))
                        heldOuter.add(byteCount)
                        if isInner { heldInner.add(byteCount) }
                        served.add(1)
                        peak.raise(to: outer.liveByteCount)
                    } catch {
                        guard case .limitReached(let report) = error, report.reserved <= report.limit else {
                            Issue.record("\(error)")
                            continue
                        }
                        refusals.add(1)
                        for _ in 0..<live.count / 2 { free(random.below(live.count)) }
                    }
                }
                while !live.isEmpty { free(0) }
                working.add(-1)
            }
            #expect(outer.liveByteCount == 0 && inner.liveByteCount == 0 && pool.statistics().liveBytes == 0)
            #expect(refusals.value > 0 && served.value > 0 && peak.value > 500_000)
        }
    }
}
