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
            EstimateCheck.Comparison(estimated: gain(estimate, 1, 100), measured: measured).verdict
        }
        #expect(verdict(8, gain(10, 9.5, 10.5)) == .agrees)
        #expect(verdict(12, gain(10, 9.5, 10.5)) == .agrees)
        #expect(verdict(7.9, gain(10, 9.5, 10.5)) == .differs)
        #expect(verdict(12.1, gain(10, 9.5, 10.5)) == .differs)
        #expect(verdict(12.1, gain(10, 7, 10.5)) == .varies)
        #expect(verdict(11, gain(10, 2, 30)) == .agrees)
    }

    /// What is short of time goes by the square root of the cost, and nobody gets more than the whole.
    @Test func timeIsSharedByTheRootOfTheCost() {
        func cost(_ nanoseconds: Double) -> ReplayEffort.Cost {
            ReplayEffort.Cost(nanosecondsPerEvent: nanoseconds, nanosecondsPerProcess: 1e6, leastRounds: 3)
        }
        func share(_ seconds: Double, _ costs: [Double]) -> [ReplayEffort] {
            ReplayEffort.share(
                seconds * 1e9, among: costs.map(cost), eventCount: 100_000, maximumEvents: 1 << 20)
        }
        // Room for everything.
        #expect(share(100, [100, 1000]) == [100, 1000].map { _ in ReplayEffort(eventCount: 100_000, rounds: 10) })
        // The fast one has nearly all it can use, and the slow one the rest.
        let mixed = share(3, [100, 100_000])
        #expect(mixed[0].eventCount == 100_000 && mixed[0].rounds >= 9)
        #expect((9000...9600).contains(mixed[1].eventCount))
        #expect(mixed[1].rounds == 3)
        // A hundred times the cost: ten times the time, a tenth of the events.
        let short = share(10, [10_000, 1_000_000])
        #expect(abs(Double(short[0].eventCount) / Double(short[1].eventCount) - 10) < 3)
        // The whole, though not as often as that.
        let some = share(3, [5000])
        #expect(some[0].eventCount == 100_000 && (4...6).contains(some[0].rounds))
        // Nothing left, and still a sample.
        #expect(share(0, [10_000])[0] == ReplayEffort(eventCount: 512, rounds: 3))
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
