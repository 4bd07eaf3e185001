import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct GainTests {
    private func gain(_ ratio: Double, _ lowest: Double, _ highest: Double) -> Gain {
        Gain(pool: "adaptive", peer: "system", ratio: ratio, lowest: lowest, highest: highest, processes: 2)
    }

    @Test func verdictsFollowTheMeasurement() {
        func verdict(_ estimate: Double, _ measured: Gain) -> EstimateCheck.Verdict {
            EstimateCheck.Comparison(estimated: gain(estimate, estimate, estimate), measured: measured).verdict
        }
        #expect(verdict(8, gain(10, 9.5, 10.5)) == .agrees)
        #expect(verdict(12, gain(10, 9.5, 10.5)) == .agrees)
        #expect(verdict(7.9, gain(10, 9.5, 10.5)) == .differs)
        #expect(verdict(12.1, gain(10, 9.5, 10.5)) == .differs)
        #expect(verdict(12.1, gain(10, 7, 10.5)) == .varies)
        #expect(verdict(12.1, gain(10, 7, 12.5)) == .within)
        let wide = EstimateCheck.Comparison(estimated: gain(12.1, 9, 13), measured: gain(10, 9.5, 10.5))
        #expect(wide.verdict == .within)
        #expect(verdict(11, gain(10, 2, 30)) == .agrees)
    }

    /// A ratio is of the two processes of a turn: what made both slow changes nothing.
    @Test func ratiosAreOfOneTurn() throws {
        func subject(_ name: String, _ medians: [Double]) throws -> ReplaySubject {
            ReplaySubject(name: name, statistics: try #require(RoundStatistics(medians)), turnMedians: medians)
        }
        let own = try subject("adaptive", [10, 20, 10])
        let peer = try subject("system", [100, 200, 150])
        let gain = try #require(Gain(of: own, over: peer))
        #expect(gain == Gain(pool: "adaptive", peer: "system", ratio: 10, lowest: 10, highest: 15, processes: 3))
        #expect(Gain(of: try subject("adaptive", [10, 0]), over: peer) == nil)
    }

    private func cost(_ nanoseconds: Double, isOwn: Bool = false) -> ReplayEffort.Cost {
        ReplayEffort.Cost(nanosecondsPerEvent: nanoseconds, nanosecondsPerProcess: 1e6, allocators: 1, isOwn: isOwn)
    }

    /// What is short of time goes by the square root of the cost, and nobody gets more than the whole.
    @Test func timeIsSharedByTheRootOfTheCost() {
        func share(_ seconds: Double, _ costs: [Double]) -> [ReplayEffort] {
            ReplayEffort.share(
                seconds * 1e9, among: costs.map { cost($0) }, eventCount: 100_000, maximumEvents: 1 << 20)
        }
        // Room for everything.
        #expect(share(100, [1000, 2000]) == [1000, 2000].map { _ in ReplayEffort(eventCount: 100_000, rounds: 10) })
        // The fast one has nearly all it can use, and the slow one the rest.
        let mixed = share(3, [1000, 100_000])
        #expect(mixed[0].eventCount == 100_000 && mixed[0].rounds == 1 || mixed[0].rounds >= 2)
        #expect((2000...14_000).contains(mixed[1].eventCount))
        #expect(mixed[1].rounds == 2)
        // A hundred times the cost: ten times the time, a tenth of the events.
        let short = share(4, [10_000, 1_000_000])
        #expect(abs(Double(short[0].eventCount) / Double(short[1].eventCount) - 10) < 3)
        // The whole, though not as often as that.
        let some = share(3, [5000])
        #expect(some[0].eventCount == 100_000 && (4...6).contains(some[0].rounds))
        // Nothing left, and still a sample.
        #expect(share(0, [10_000])[0] == ReplayEffort(eventCount: 512, rounds: 2))
    }

    /// The whole, as often as there is time, and once after part of it where that is all there is time for.
    @Test func theWholeWhereThereIsTime() throws {
        func whole(
            _ seconds: Double, _ costs: [ReplayEffort.Cost], events: Int = 10_000,
            _ rounds: ReplayEffort.Rounds = .once, isFilled: Bool = true
        ) -> [ReplayEffort]? {
            ReplayEffort.whole(
                seconds * 1e9, among: costs, eventCount: events, rounds: rounds, isFilled: isFilled)
        }
        let costs = [cost(10_000, isOwn: true), cost(100_000)]
        // Five rounds of 0.1 s, one and a quarter of 1 s, and some for reading.
        #expect(whole(1.7, costs) == nil)
        let least = try #require(whole(1.77, costs))
        #expect(least[0] == ReplayEffort(eventCount: 10_000, rounds: 5))
        #expect(least[1].rounds == 1)
        #expect((250_000_000...260_000_000).contains(least[1].warmUpNanoseconds ?? 0))
        // More time is more rounds, up to those that `replay` does.
        let more = try #require(whole(5, costs))
        #expect(more[1].rounds == 4 && more[1].warmUpNanoseconds == nil)
        #expect(whole(100, costs) == [10, 10].map { ReplayEffort(eventCount: 10_000, rounds: $0) })
        #expect(try #require(whole(5, costs, isFilled: false))[0].rounds == 5)
        #expect(whole(5, costs, .usual) == nil)
        #expect(whole(5, costs, .settled) == nil)
        // Rounds of a millisecond are repeated for a tenth of a second.
        #expect(whole(100, [cost(1000, isOwn: true)], events: 1000)?[0].rounds == 100)
        #expect(whole(100, [cost(0)], events: 0)?[0].rounds == 1000)
    }

    /// Beyond what an allocator does itself the time goes by the bytes that are touched.
    @Test func aLookForetellsTheWhole() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 1000)
        // Ten large ones, then ninety small ones: nearly all bytes are in the tenth that the look came to.
        for index in 0..<100 {
            let size = index < 10 ? 9_000_000 : 111_111
            try builder.allocate(address: UInt64(index + 1), byteCount: size, thread: 1)
        }
        let trace = builder.finish()
        let passes = [2_000_000, 1_000_000].map {
            ReplayWarmUp(eventCount: 10, nanoseconds: $0, processorNanoseconds: $0)
        }
        let touched = ReplayLook(passes, of: trace, touch: .page, processorNanoseconds: 7_000_000)
        #expect(touched.eventsSeen == 10)
        // A millisecond for 90 MB, and another 10 MB to come.
        #expect(abs(touched.nanosecondsPerEvent * 100 - 1_110_000) < 60_000)
        // Beside the passes, and what the first took more than the second.
        #expect(touched.nanosecondsPerProcess == 4_000_000 + 1_000_000)
        let untouched = ReplayLook(passes, of: trace, touch: .none, processorNanoseconds: 7_000_000)
        #expect(untouched.nanosecondsPerEvent == 100_000)
        let sample = ReplayLook(passes, of: nil, touch: .page, processorNanoseconds: 7_000_000)
        #expect(sample.nanosecondsPerEvent == 100_000)
    }

    @Test func checksEstimates() throws {
        let folder = try TemporaryFolder()
        var rows = ["Thread,Time,Action,Pointer,Size,Stream"]
        for step in 0..<100 {
            for action in ["allocate", "free"] {
                for tensor in 1...8 {
                    rows.append("1,00:00:00.\(100_000 + step),\(action),0x\(tensor),\(tensor * 10_000),0")
                }
            }
        }
        let trace = try folder.file(named: "small.csv", rows.joined(separator: "\n") + "\n")
        let arguments = ["check-estimate", trace, "--seconds", "0.1", "--turns", "2", "--touch", "none"]
        let result = try BuiltCommand.run(arguments + ["--format", "json"])
        // A busy machine may have an estimate differ.
        #expect(result.status == 0 || result.status == 2, "\(result.errors)")
        let keys = try JSONKeys(result.output)
        #expect(keys.names == ["machine", "touch", "turns", "files"])
        #expect(
            keys["files"].names == [
                "file", "events", "replayedEvents", "seconds", "estimateTurns", "comparisons",
            ])
        #expect(keys["files"]["comparisons"].names == ["estimated", "measured", "verdict"])
        #expect(
            keys["files"]["comparisons"]["measured"].names == [
                "pool", "peer", "ratio", "lowest", "highest", "processes",
            ])
        let check = try JSONDecoder().decode(EstimateCheck.self, from: Data(result.output.utf8))
        #expect(check.files[0].comparisons.count == 6)
        #expect(check.files[0].comparisons.allSatisfy { $0.measured.processes == 2 && $0.measured.ratio > 0 })
        #expect((check.count(.differs) > 0) == (result.status == 2))
        #expect(check.text.contains("of 6 within 20.0 %"))
        let wrong = try BuiltCommand.run(["check-estimate", trace, "--turns", "1"])
        #expect(wrong.status == 64)
    }
}
