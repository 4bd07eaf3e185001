import Foundation
import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    struct StaticPlanModelTests {
        private struct Live {
            let owned: Owned
            let pattern: UInt64
            /// The request at which it is freed.
            let end: Int
        }

        /// Random layouts, most of them nonsense, under random requests: nothing overlaps, nothing changes, nothing is lost.
        @Test(arguments: 0..<8) func nothingOverlapsWhateverIsAsked(round: Int) throws {
            let seed = SeededRandom.runSeed("StaticPlanModelTests \(round)") &+ UInt64(round)
            var random = SeededRandom(seed)
            let base = try HybridMemoryPool()
            let count = 1 + random.below(60)
            let allocations = (0..<count).map { _ in
                StaticPlanLayout.Allocation(offset: 64 * random.below(32), byteCount: 1 + random.below(640))
            }
            var plan: StaticPlan? = try StaticPlan(
                StaticPlanLayout(allocations: allocations, byteCount: 64 * 42), upstream: base)
            var shadow = ShadowMap()
            var live: [Live] = []
            func free(at place: Int) {
                let tensor = live.remove(at: place)
                #expect(tensor.owned.holds(tensor.pattern), "seed \(seed)")
                let isRemoved = shadow.remove(tensor.owned.address, tensor.owned.byteCount)
                #expect(isRemoved, "seed \(seed)")
            }
            var next = 0
            for request in 0..<20_000 {
                // Most of the time the sequence; now and then one left out, one more, or a step that ends early.
                switch random.below(round < 4 ? 200 : 12) {
                case 0: next += 1 + random.below(6)
                case 1: next = random.below(count)
                case 2:
                    next = 0
                    plan?.beginStep()
                default: break
                }
                let isExtra = random.below(30) == 0
                let byteCount = isExtra ? 1 + random.below(700) : allocations[next % count].byteCount
                if !isExtra { next += 1 }
                let owned = try found(plan).own(byteCount)
                let pattern = random.next()
                owned.fill(pattern)
                let isApart = shadow.insert(owned.address, byteCount)
                #expect(isApart, "overlap at request \(request), seed \(seed)")
                let lifetime = random.below(8) == 0 ? random.below(3 * count) : random.below(4)
                live.append(Live(owned: owned, pattern: pattern, end: request + lifetime))
                for place in live.indices.reversed() where live[place].end <= request { free(at: place) }
            }
            let statistics = try found(plan).statistics()
            expectSums(statistics)
            #expect(statistics.liveTensors == live.count)
            #expect(statistics.liveBytes == live.reduce(0) { $0 + $1.owned.byteCount })
            #expect(try found(plan).counts.served > 1000)
            plan = nil
            while !live.isEmpty { free(at: random.below(live.count)) }
            #expect(base.statistics().liveTensors == 0)
        }

        /// Tensors end on another thread while the owner goes on.
        @Test func freesOnAnotherThreadNeverOverlap() throws {
            let seed = SeededRandom.runSeed("freesOnAnotherThreadNeverOverlap")
            var random = SeededRandom(seed)
            let base = try HybridMemoryPool()
            let allocations = (0..<40).map { _ in
                StaticPlanLayout.Allocation(offset: 64 * random.below(32), byteCount: 64 + random.below(640))
            }
            let plan = try StaticPlan(StaticPlanLayout(allocations: allocations, byteCount: 64 * 44), upstream: base)
            let handover = Handover()
            let thread = Thread {
                while let tensor = handover.take() {
                    if !tensor.owned.holds(tensor.pattern) { handover.noteDamage() }
                }
                handover.done.open()
            }
            thread.start()
            for request in 0..<20_000 {
                let owned = try plan.own(allocations[request % allocations.count].byteCount)
                let pattern = random.next()
                owned.fill(pattern)
                handover.put(Handover.Tensor(owned: owned, pattern: pattern))
            }
            handover.put(nil)
            handover.done.wait()
            #expect(handover.damages == 0, "seed \(seed)")
            #expect(plan.counts.served + plan.counts.fallbacks == 20_000)
            #expect(plan.statistics().liveTensors == 0)
        }
    }
}

/// Tensors on their way to the thread that ends them.
private final class Handover: @unchecked Sendable {
    struct Tensor {
        let owned: Owned
        let pattern: UInt64
    }

    let done = Gate()
    private let condition = NSCondition()
    private var waiting: [Tensor?] = []
    private var damageCount = 0

    var damages: Int { condition.withLock { damageCount } }

    func noteDamage() { condition.withLock { damageCount += 1 } }

    func put(_ tensor: Tensor?) {
        condition.lock()
        // A few at a time, so that places are asked for while their tensors live.
        while waiting.count > 6 { condition.wait() }
        waiting.append(tensor)
        condition.broadcast()
        condition.unlock()
    }

    func take() -> Tensor? {
        condition.lock()
        while waiting.isEmpty { condition.wait() }
        let tensor = waiting.removeFirst()
        condition.broadcast()
        condition.unlock()
        return tensor
    }
}
