import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct MainJobCommandTests {
    private static let quick = ["--rounds", "2", "--budget", "0.05", "--replay-rounds", "2"]

    @Test func measuresAndSummarizes() throws {
        let folder = try TemporaryFolder()
        let rows = (0..<8).flatMap { ["1,t,allocate,0x\($0 + 1),300000,0", "1,t,free,0x\($0 + 1),300000,0"] }
        let trace = try folder.file(
            named: "small.csv", "Thread,Time,Action,Pointer,Size,Stream\n" + rows.joined(separator: "\n") + "\n")
        let result = try BuiltCommand.run(["main-job", trace] + Self.quick + ["--format", "json"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        #expect(try JSONKeys(result.output).names == ["gap", "replays", "summary"])
        let output = try JSONDecoder().decode(MainJobOutput.self, from: Data(result.output.utf8))
        #expect(output.replays.map(\.pool.name) == ["adaptive", "standard", "jemalloc", "system"])
        #expect(output.replays.allSatisfy { $0.rounds.count == 2 && $0.touch == .page && $0.file == trace })
        #expect(output.gap.pairs.count == 120)

        // The sentences carry this run's figures.
        let own = try #require(output.replays.first)
        let summary = output.summary.joined(separator: "\n")
        #expect(summary.contains("\(Figures.decimal(own.roundMilliseconds)) ms a round in the adaptive pool"))
        #expect(summary.contains("\(Figures.decimal(own.residentGrowthOverPeakLive)) bytes become resident"))
        let held = output.gap.targets.count { $0.holds }
        #expect(
            summary.contains(
                held == output.gap.targets.count
                    ? "All \(held) promises" : "Of \(output.gap.targets.count) promises \(held) hold"))

        // As people see it.
        #expect(output.text.contains("What it means\n- Allocating and freeing"))
        for pool in MainJobOutput.pools { #expect(output.text.contains("\n\(pool.rawValue) ")) }
    }

    @Test func aFileThatCannotBeReadExitsWith1AtOnce() throws {
        let result = try BuiltCommand.run(["main-job", "nonexistent.csv"])
        #expect(result.status == 1)
        #expect(result.errors.contains("nonexistent.csv: cannot open the trace"))
        #expect(result.output == "")
    }

    @Test(arguments: [
        (["main-job"], "Missing expected argument"),
        (["main-job", "x", "--replay-rounds", "1"], "--replay-rounds is 2 to 1000, not 1"),
        (["main-job", "x", "--rounds", "0"], "--rounds is 1 to 1000, not 0"),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
    }
}
