import Testing
import AllocationTrace

@testable import bench

@Suite("The offline plan")
struct OfflinePlanTests {
    /// Replays the plan, and records an issue wherever two live blocks share a byte.
    private func expectDisjoint(_ trace: AllocationTrace, _ plan: OfflinePlan) {
        var live: [UInt32: Range<Int>] = [:]
        for (index, event) in trace.events.enumerated() {
            guard event.kind == .allocate else {
                live[event.slot] = nil
                continue
            }
            let start = Int(plan.offsets[index])
            let block = start..<start + event.byteCount
            #expect(start % 64 == 0)
            #expect(block.upperBound <= plan.byteCount)
            #expect(!live.values.contains { $0.overlaps(block) }, "event \(index)")
            live[event.slot] = block
        }
    }

    @Test("keeps blocks apart that are alive together, in no less than is live", arguments: [1, 2, 3] as [UInt64])
    func randomHistory(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var builder = AllocationTraceBuilder(maximumEvents: 10_000)
        var live: [(address: UInt64, byteCount: Int)] = []
        for address in 1...3_000 as ClosedRange<UInt64> {
            let byteCount = 1 + next(1 << (4 + next(16)))
            try builder.allocate(address: address, byteCount: byteCount, thread: 0)
            live.append((address, byteCount))
            while live.count > 60 || (!live.isEmpty && next(3) == 0) {
                let block = live.remove(at: next(live.count))
                try builder.free(address: block.address, byteCount: block.byteCount, thread: 0)
            }
        }
        let trace = builder.finish()
        let plan = OfflinePlan(trace)
        expectDisjoint(trace, plan)
        #expect(plan.byteCount >= trace.summary.peakLiveBytes)
    }

    @Test("needs little more than is live for blocks that end in the order they began")
    func queue() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 10_000)
        for address in 1...1_000 as ClosedRange<UInt64> {
            try builder.allocate(address: address, byteCount: 4096, thread: 0)
            if address > 10 { try builder.free(address: address - 10, byteCount: 4096, thread: 0) }
        }
        let trace = builder.finish()
        let plan = OfflinePlan(trace)
        expectDisjoint(trace, plan)
        #expect(plan.byteCount == trace.summary.peakLiveBytes)
    }
}
