import Foundation
import Testing

@testable import TensorPool

extension PoolTests {
    struct StaticPlanTests {
        /// Three places: a at 0, b above it, c on a's bytes and the first half of b's.
        private static let sizes = [4096, 2048, 5120]

        private static func layout() throws -> StaticPlanLayout {
            try StaticPlanLayout(
                allocations: [
                    .init(offset: 0, byteCount: sizes[0]), .init(offset: 4096, byteCount: sizes[1]),
                    .init(offset: 0, byteCount: sizes[2]),
                ], byteCount: 6144)
        }

        private static func plan() throws -> StaticPlan<HybridMemoryPool> {
            try StaticPlan(layout(), upstream: HybridMemoryPool())
        }

        /// The offset of a tensor in the slab; nil where it is elsewhere.
        private func offset(_ owned: Owned, in plan: StaticPlan<HybridMemoryPool>) -> Int? {
            let offset = Int(owned.address) - Int(bitPattern: unsafe plan.core.slab.baseAddress)
            return (0..<plan.layout.byteCount).contains(offset) ? offset : nil
        }

        @Test func servesTheSequenceAgainAndAgain() throws {
            let plan = try Self.plan()
            for _ in 0..<3 {
                let first = try plan.own(4096)
                let second = try plan.own(2048)
                #expect(offset(first, in: plan) == 0)
                #expect(offset(second, in: plan) == 4096)
                _ = consume first
                _ = consume second
                #expect(offset(try plan.own(5120), in: plan) == 0)
            }
            #expect(plan.counts.served == 9)
            #expect(plan.counts.steps == 3)
            #expect(plan.counts.departures == 0)
            #expect(plan.counts.fallbacks == 0)
            #expect(plan.counts.otherThreads == 0)
            expectSums(plan.statistics())
            #expect(plan.statistics().liveTensors == 0)
        }

        @Test func aTensorThatLivesTooLongKeepsItsBytes() throws {
            let plan = try Self.plan()
            let first = try plan.own(4096)
            first.fill(7)
            _ = try plan.own(2048)
            let third = try plan.own(5120)
            #expect(offset(third, in: plan) == nil)
            third.dirty()
            #expect(first.holds(7))
            #expect(plan.counts.lateFrees == 1)
            #expect(plan.counts.fallbacks == 1)
            expectSums(plan.statistics())
        }

        /// c was passed without being served while a was still live; one step on, what looks at c has to look on at a.
        @Test func aLateTensorIsSeenBelowPlacesThatWereSkipped() throws {
            let layout = try StaticPlanLayout(
                allocations: [
                    .init(offset: 0, byteCount: 64), .init(offset: 0, byteCount: 128), .init(offset: 0, byteCount: 192),
                ],
                byteCount: 192)
            let plan = try StaticPlan(layout, upstream: HybridMemoryPool())
            let late = try plan.own(64)
            #expect(offset(late, in: plan) == 0)
            #expect(offset(try plan.own(128), in: plan) == nil)
            #expect(offset(try plan.own(192), in: plan) == nil)
            #expect(offset(try plan.own(64), in: plan) == nil)
            #expect(offset(try plan.own(128), in: plan) == nil)
            _ = consume late
            #expect(offset(try plan.own(192), in: plan) == 0)
            #expect(plan.counts.lateFrees == 4)
        }

        @Test func anotherSizeGoesUpstreamAndTheSequenceGoesOn() throws {
            let plan = try Self.plan()
            let first = try plan.own(4096)
            let extra = try plan.own(1000)
            let second = try plan.own(2048)
            #expect(offset(first, in: plan) == 0)
            #expect(offset(extra, in: plan) == nil)
            #expect(offset(second, in: plan) == 4096)
            #expect(plan.counts.departures == 1)
            #expect(plan.counts.fallbacks == 1)
        }

        @Test func aMissingAllocationIsPassed() throws {
            let plan = try Self.plan()
            let second = try plan.own(2048)
            #expect(offset(second, in: plan) == 4096)
            // The third place shares bytes with the second tensor.
            #expect(offset(try plan.own(5120), in: plan) == nil)
            _ = consume second
            #expect(offset(try plan.own(4096), in: plan) == 0)
            #expect(plan.counts.departures == 1)
        }

        @Test func anotherOrderGetsNoOverlap() throws {
            let plan = try Self.plan()
            let third = try plan.own(5120)
            let second = try plan.own(2048)
            let first = try plan.own(4096)
            #expect(offset(third, in: plan) == 0)
            #expect(offset(second, in: plan) == nil)
            #expect(offset(first, in: plan) == nil)
        }

        @Test func beginStepStartsAnew() throws {
            let plan = try Self.plan()
            _ = try plan.own(4096)
            plan.beginStep()
            #expect(offset(try plan.own(4096), in: plan) == 0)
            #expect(plan.counts.steps == 1)
            #expect(plan.counts.departures == 0)
        }

        @Test func aNewBeginningIsRecognised() throws {
            let allocations = (0..<20).map { StaticPlanLayout.Allocation(offset: $0 * 1024, byteCount: 64 + $0) }
            let plan = try StaticPlan(
                StaticPlanLayout(allocations: allocations, byteCount: 20 * 1024), upstream: HybridMemoryPool())
            for size in 64..<74 { _ = try plan.own(size) }
            // The step ends early: the first four of the next one are recognised, the rest is served.
            for size in 64..<84 { _ = try plan.own(size) }
            #expect(plan.counts.fallbacks == 4)
            #expect(plan.counts.served == 10 + 16)
            #expect(plan.counts.steps == 2)
        }

        @Test func buffersOutliveThePlan() throws {
            let base = try HybridMemoryPool()
            var plan: StaticPlan? = try StaticPlan(Self.layout(), upstream: base)
            weak let core = plan?.core
            let first = try found(plan).own(4096)
            let second = try found(plan).own(2048)
            first.fill(1)
            plan = nil
            #expect(first.holds(1))
            #expect(core != nil)
            _ = consume first
            #expect(core != nil)
            #expect(base.statistics().liveTensors == 1)
            _ = consume second
            #expect(core == nil)
            #expect(base.statistics().liveTensors == 0)
        }

        @Test func aPlanWithoutTensorsEndsAtOnce() throws {
            let base = try HybridMemoryPool()
            weak var core: PlanCore?
            // More than there can be at one time.
            for _ in 0..<PlanRegistry.capacity + 10 {
                let plan = try StaticPlan(Self.layout(), upstream: base)
                core = plan.core
                _ = try plan.own(4096)
            }
            #expect(core == nil)
            #expect(base.statistics().liveTensors == 0)
        }

        @Test func handlesAreChecked() throws {
            let plan = try Self.plan()
            let handle = try plan.allocateTensor(id: 1, byteCount: 4096)
            #expect(plan.refusedFree(2, handle) == .wrongTensorID(given: 2, handle: 1))
            #expect(plan.upstream.refusedFree(1, handle) == .foreignHandle(tensorID: 1))
            try plan.deallocateTensor(id: 1, handle)
            #expect(plan.refusedFree(1, handle) == .freedTwice(tensorID: 1))
            plan.beginStep()
            let next = try plan.allocateTensor(id: 2, byteCount: 4096)
            #expect(unsafe next.baseAddress == handle.baseAddress)
            #expect(plan.refusedFree(1, handle) == .staleHandle(tensorID: 1))
            let other = try plan.allocateTensor(id: 3, byteCount: 77)
            try plan.deallocateTensor(id: 3, other)
            try plan.deallocateTensor(id: 2, next)
            expectSums(plan.statistics())
            #expect(plan.statistics().liveTensors == 0)
        }

        @Test func whatIsNotPlannedGoesUpstream() throws {
            let plan = try Self.plan()
            #expect(offset(try plan.own(4096, TensorTraits(role: .weight)), in: plan) == nil)
            #expect(offset(try plan.own(4096, alignment: 128), in: plan) == nil)
            #expect(plan.refusedBuffer(0) == .invalidByteCount(0))
            #expect(plan.refusedBuffer(4096, alignment: 3) == .invalidAlignment(3, maximum: 2 << 20))
            #expect(plan.refusedTensor(4096, device: .gpu(0)) == .unsupportedDevice(.gpu(0)))
            #expect(plan.counts.served == 0)
        }

        @Test func zeroedTensorsAreZero() throws {
            let plan = try Self.plan()
            try plan.own(4096).dirty()
            plan.beginStep()
            let zeroed = try plan.own(4096, zeroed: true)
            #expect(offset(zeroed, in: plan) == 0)
            #expect(zeroed.isZero)
        }

        @Test func anotherThreadIsServedByTheUpstreamUntilItTakesOver() throws {
            let plan = try Self.plan()
            let here = try plan.own(4096)
            let there = Mailbox()
            let thread = Thread {
                there.offsets.append((try? plan.own(2048)).flatMap { offset($0, in: plan) })
                plan.beginStep()
                there.offsets.append((try? plan.own(4096)).flatMap { offset($0, in: plan) })
                there.offsets.append((try? plan.own(2048)).flatMap { offset($0, in: plan) })
                there.done.open()
            }
            thread.start()
            there.done.wait()
            // The first place is taken by this thread's tensor, the second is free.
            #expect(there.offsets == [nil, nil, 4096])
            #expect(plan.counts.otherThreads == 1)
            #expect(offset(try plan.own(5120), in: plan) == nil)
            #expect(plan.counts.otherThreads == 2)
            _ = consume here
        }

        private final class Mailbox: @unchecked Sendable {
            let done = Gate()
            var offsets: [Int?] = []
        }

        // MARK: - Layouts

        @Test func layoutsAreChecked() throws {
            func refused(_ allocations: [(Int, Int)], _ byteCount: Int, _ alignment: Int = 64) -> Bool {
                refusal { () throws(TensorPoolError) in
                    _ = try StaticPlanLayout(
                        allocations: allocations.map { .init(offset: $0.0, byteCount: $0.1) }, byteCount: byteCount,
                        alignment: alignment)
                } != nil
            }
            #expect(!refused([(0, 64)], 64))
            #expect(refused([(0, 65)], 64))
            #expect(refused([(64, 1)], 64))
            #expect(refused([(-64, 64)], 64))
            #expect(refused([(32, 1)], 64))
            #expect(refused([(0, 0)], 64))
            #expect(refused([(0, .max)], 64))
            #expect(refused([(.max - 63, 64)], 64))
            #expect(refused([], 64))
            #expect(refused([(0, 64)], 0))
            #expect(refused([(0, 64)], 64, 32))
            #expect(refused([(0, 64)], 64, 96))
            #expect(refused(Array(repeating: (0, 1), count: StaticPlanLayout.maximumAllocations + 1), 64))
        }

        @Test func layoutsAreReadFromJSON() throws {
            let text = #"{"alignment": 64, "byteCount": 6144, "allocations": [[0, 4096], [4096, 2048], [0, 5120]]}"#
            let layout = try JSONDecoder().decode(StaticPlanLayout.self, from: Data(text.utf8))
            #expect(layout == (try Self.layout()))
            let again = try JSONDecoder().decode(StaticPlanLayout.self, from: JSONEncoder().encode(layout))
            #expect(again == layout)
            let wrong = #"{"alignment": 64, "byteCount": 100, "allocations": [[0, 4096]]}"#
            #expect(throws: TensorPoolError.self) {
                try JSONDecoder().decode(StaticPlanLayout.self, from: Data(wrong.utf8))
            }
        }
    }
}
