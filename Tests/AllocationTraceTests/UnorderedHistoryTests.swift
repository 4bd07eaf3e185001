import Testing

@testable import AllocationTrace

@Suite struct UnorderedHistoryTests {
    /// Many runs, each out of order, put in order: events of the same time stay as they stand in the file.
    @Test(arguments: [1, 2, 7, 40])
    func runsAreMergedByTime(runs: Int) throws {
        var random = SeededGenerator(seed: UInt64(runs))
        let count = runs * 200 - 7
        let times = (0..<count).map { Int64($0 / 3) + Int64.random(in: -100...100, using: &random) }
        var history = UnorderedHistory(maximumEvents: count, runLength: 200)
        for (index, time) in times.enumerated() {
            try history.append(
                RecordedEvent(
                    kind: .allocate, address: UInt64(index + 1), byteCount: 1, thread: UInt64(index % 3), time: time,
                    tensorID: UInt64(index + 1)))
        }
        do throws(AllocationTraceBuilder.LimitExceeded) {
            try history.append(RecordedEvent(kind: .free, address: 1, byteCount: nil, thread: 1))
            Issue.record("one event more than there may be")
        } catch {
            #expect(error == .events(limit: count))
        }
        var builder = AllocationTraceBuilder(maximumEvents: count)
        try history.feed(to: &builder)
        let trace = builder.finish()
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        #expect(trace.addresses == order.map { UInt64($0 + 1) })
        #expect(trace.tensorIDs == trace.addresses)
        #expect(trace.times == order.map { times[$0] - times[order[0]] })
    }
}
