import AllocationTrace
import Foundation
import TensorPool
import Testing

@testable import tensor_pool

@Suite struct PlanCommandTests {
    private static let problem = "id,lower,upper,size\na,0,3,4096\nb,3,9,4096\nc,0,9,4096\nd,9,21,4096\ne,0,21,4096\n"

    @Test func plansAProblem() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file(named: "small.csv", Self.problem)
        let result = try BuiltCommand.run(["plan", file, "--capacity", "12288"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        #expect(result.output.contains("5 tensors, at most 12,288 bytes (0.0 MiB) alive"))
        #expect(result.output.contains("fits the capacity of 12,288 bytes."))
        for algorithm in PlanningAlgorithm.allCases { #expect(result.output.contains("\n\(algorithm.rawValue) ")) }
    }

    @Test func writesAPlanThatStaticPlanExecutes() throws {
        let folder = try TemporaryFolder()
        let output = folder.url.appending(path: "plan.json")
        let result = try BuiltCommand.run([
            // Two percent above the lower bound, where the search ends; the time is for the slowest machine.
            "plan", bundledTrace, "--capacity", "333230899", "--time-limit", "600", "--format", "json",
            "-o", output.path(percentEncoded: false),
        ])
        #expect(result.status == 0)
        let report = try JSONDecoder().decode(PlanOutput.self, from: Data(result.output.utf8))
        #expect(report.lowerBoundBytes == 326_696_960)
        #expect(report.results.map(\.algorithm) == PlanningAlgorithm.allCases)
        let best = try #require(report.best)
        #expect(Double(best.peakBytes) <= 1.03 * Double(report.lowerBoundBytes))

        let layout = try JSONDecoder().decode(StaticPlanLayout.self, from: Data(contentsOf: output))
        #expect(layout.byteCount - best.peakBytes < 64)
        let plan = try StaticPlan(layout, upstream: HybridMemoryPool())
        let trace = try RMMTraceReader().read(path: bundledTrace)
        for _ in 0..<2 {
            var live = [Kept?](repeating: nil, count: trace.slotCount)
            for event in trace.events + trace.releases {
                switch event.kind {
                case .allocate: live[Int(event.slot)] = Kept(try plan.allocate(byteCount: event.byteCount))
                case .free: live[Int(event.slot)] = nil
                }
            }
        }
        #expect(plan.counts.served == 2 * trace.summary.allocationCount)
        #expect(plan.counts.fallbacks == 0)
    }

    private final class Kept {
        let buffer: TensorBuffer
        init(_ buffer: consuming TensorBuffer) { self.buffer = buffer }
    }

    @Test func writesMinimallocsSolution() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file(named: "small.csv", Self.problem)
        let output = folder.url.appending(path: "solution.csv")
        let result = try BuiltCommand.run([
            "plan", file, "--alignment", "1", "--format", "csv", "--output", output.path(percentEncoded: false),
        ])
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.first == "algorithm,peakBytes,overLowerBound,fitsCapacity,seconds")
        #expect(lines.count == 1 + PlanningAlgorithm.allCases.count)
        let rows = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
        #expect(rows.first == "id,lower,upper,size,offset")
        let offsets = rows.dropFirst().compactMap { $0.split(separator: ",").last.flatMap { Int($0) } }
        let problem = try PlanningProblem.read(file)
        #expect(try PlanChecker.check(problem, offsets: offsets, capacity: 12_288) == 12_288)
    }

    /// What can be read once only keeps its ids and times too.
    @Test(arguments: [
        "cat \"$1\" | \"$0\" plan - -o \"$2\"",
        "mkfifo \"$1.fifo\"; cat \"$1\" > \"$1.fifo\" & \"$0\" plan \"$1.fifo\" -o \"$2\"",
    ])
    func plansWhatCanBeReadOnce(script: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.file(named: "small.csv", Self.problem)
        let output = folder.url.appending(path: "solution.csv")
        let result = try BuiltCommand.run(
            [
                "-c", script, BuiltCommand.tensorPool.path(percentEncoded: false), file,
                output.path(percentEncoded: false),
            ], of: URL(filePath: "/bin/sh"))
        #expect(result.status == 0, "\(result.errors)")
        let rows = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
        #expect(rows.dropFirst().map { $0.prefix { $0 != "," } } == ["a", "b", "c", "d", "e"])
        #expect(rows.last?.hasPrefix("e,0,21,4096,") == true)
    }

    @Test func aCapacityThatNothingFitsExitsWith2() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file(named: "small.csv", Self.problem)
        let result = try BuiltCommand.run(["plan", file, "--capacity", "12287", "--format", "json"])
        #expect(result.status == 2)
        let report = try JSONDecoder().decode(PlanOutput.self, from: Data(result.output.utf8))
        #expect(report.results.allSatisfy { $0.fitsCapacity == false })
    }

    @Test(arguments: [
        (["plan"], "Missing expected argument"),
        (["plan", "x", "--alignment", "3"], "--alignment is a power of two"),
        (["plan", "x", "--alignment", "1", "-o", "x.json"], "aligned to 64 bytes"),
        (["plan", "x", "--capacity", "0"], "--capacity is at least 1"),
        (["plan", "x", "--time-limit", "0"], "--time-limit is above 0"),
        (["plan", "x", "--format", "xml"], "'xml' is invalid"),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
    }

    @Test func whatCannotBeReadOrWrittenExitsWith1() throws {
        let folder = try TemporaryFolder()
        #expect(try BuiltCommand.run(["plan", "nonexistent.csv"]).status == 1)
        let bad = try folder.file(named: "bad.csv", "id,lower,upper,size\na,5,3,10\n")
        let malformed = try BuiltCommand.run(["plan", bad])
        #expect(malformed.status == 1)
        #expect(malformed.errors.contains("bad.csv"))
        let file = try folder.file(named: "small.csv", Self.problem)
        let unwritable = try BuiltCommand.run([
            "plan", file, "-o", folder.url.path(percentEncoded: false) + "/no/p.json",
        ])
        #expect(unwritable.status == 1)
        #expect(unwritable.errors.contains("cannot write the plan"))
    }

    @Test func helpHasExamplesKeysAndExitCodes() throws {
        let help = try BuiltCommand.run(["plan", "--help"])
        #expect(help.status == 0)
        for part in ["Examples:", "JSON keys:", "Exit codes:"] { #expect(help.output.contains(part)) }
    }
}
