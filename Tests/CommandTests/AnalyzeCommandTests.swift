import AllocationTrace
import Foundation
import TensorPool
import Testing

@testable import tensor_pool

@Suite struct AnalyzeCommandTests {
    private static let quick = ["--seconds", "0.1", "--touch", "none"]

    @Test func printsFindingsFirst() throws {
        let result = try BuiltCommand.run(["analyze", bundledTrace] + Self.quick)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors == "")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].contains("11,917 events, 1 thread, peak live 311.6 MiB in 154 blocks"))
        #expect(lines[3] == "Findings")
        #expect(lines[4].hasPrefix("1. Use the "))
        #expect(
            result.output.contains("times as fast as the system's malloc") || result.output.contains("times as slow"))
        #expect(result.output.contains("Make ready "))
        for heading in ["Cost an event by replay", "Categories", "Sizes by bytes asked for", "Lifetimes and reuse"] {
            #expect(result.output.contains(heading))
        }
        #expect(lines.allSatisfy { $0.last != " " })
    }

    /// Fifty steps of eight tensors.
    private func smallTrace(in folder: TemporaryFolder) throws -> String {
        var rows = ["Thread,Time,Action,Pointer,Size,Stream"]
        for step in 0..<50 {
            for action in ["allocate", "free"] {
                for tensor in 1...8 {
                    rows.append("1,00:00:00.\(100_000 + step),\(action),0x\(tensor),\(tensor * 10_000),0")
                }
            }
        }
        return try folder.file(named: "small.csv", rows.joined(separator: "\n") + "\n")
    }

    @Test func printsJSONThatReadsBack() throws {
        let folder = try TemporaryFolder()
        let trace = try smallTrace(in: folder)
        let path = folder.url.appending(path: "pool.json").path(percentEncoded: false)
        let result = try BuiltCommand.run(
            ["analyze", trace, "--format", "json", "--configuration", path] + Self.quick)
        let report = try JSONDecoder().decode(WorkloadReport.self, from: Data(result.output.utf8))
        #expect(report.analysis.summary.eventCount == 800)
        #expect(report.analysis.steps?.allocationsPerStep == 8)
        #expect(report.analysis.steps?.steps == 49)
        #expect(report.estimate.subjects.map(\.name) == PoolChoice.ownAndSystem.map(\.rawValue) + ["suggested"])
        for subject in report.estimate.subjects {
            #expect(subject.nanosecondsPerEvent.median > 0)
            #expect(subject.nanosecondsPerEvent.rounds >= report.estimate.turns)
        }
        #expect(report.estimate.replayedEvents <= report.estimate.traceEvents)
        // How many there was time for is the machine's.
        #expect(report.estimate.turns >= 1)
        #expect(report.estimate.gains.count == 8)
        #expect(report.findings.first?.kind == .pool)
        // The file is what is suggested, and a replay takes it.
        let configuration = try PoolConfigurationFile.read(path)
        #expect(configuration == report.suggestion.configuration)
        #expect(configuration.pool == report.suggestion.pool)
        let replay = try BuiltCommand.run([
            "replay", trace, "--pool", configuration.pool.rawValue, "--configuration", path, "--touch", "none",
            "--rounds", "2",
        ])
        #expect(replay.status == 0, "\(replay.errors)")

        // Scripts rely on these keys: a change here breaks them.
        let keys = try JSONKeys(result.output)
        #expect(
            keys.names == ["machine", "file", "format", "findings", "suggestion", "estimate", "analysis"])
        #expect(keys["findings"].names == ["kind", "text"])
        #expect(keys["suggestion"].names == ["pool", "whyPool", "profile", "whyProfile", "configuration"])
        #expect(keys["suggestion"]["configuration"].names == ["version", "pool", "configuration"])
        #expect(keys["estimate"].names == ["traceEvents", "replayedEvents", "touch", "turns", "subjects", "gains"])
        #expect(
            keys["estimate"]["subjects"].names.isSuperset(of: [
                "name", "allocator", "eventsPerRound", "firstRound", "nanosecondsPerEvent", "processMedians",
                "minorPageFaults",
                "residentGrowthOverPeakLive",
            ]))
        #expect(keys["estimate"]["subjects"]["nanosecondsPerEvent"].names == JSONKeys.statistics)
        #expect(
            keys["analysis"].names.isSuperset(of: [
                "summary", "irregularities", "sizes", "lifetimes", "reuse", "drifts", "threads", "likelyLeaks",
                "liveCurve", "peakDemand",
            ]))
    }

    @Test func printsCommaSeparatedFigures() throws {
        let folder = try TemporaryFolder()
        let trace = try smallTrace(in: folder)
        let result = try BuiltCommand.run(["analyze", trace, "--format", "csv"] + Self.quick)
        let lines = result.output.split(separator: "\n")
        #expect(lines.first == "section,item,figure,value,unit")
        #expect(lines.contains("trace,,peakLiveBytes,360000,bytes"))
        #expect(lines.contains { $0.hasPrefix("replay,system,nanosecondsPerEvent,") })
        #expect(lines.contains { $0.hasPrefix("finding,1,pool,") })
    }

    /// More than any machine has: what can be told without writing to it is told.
    private static let hugeTrace =
        "Thread,Time,Action,Pointer,Size,Stream\n"
        + (1...4096).map { "1,00:00:00.000001,allocate,0x\($0),268435456,0\n" }.joined()

    @Test func analysesWhatIsLargerThanTheMemory() throws {
        let folder = try TemporaryFolder()
        let trace = try folder.file(named: "huge.csv", Self.hugeTrace)
        let result = try BuiltCommand.run(["analyze", trace, "--seconds", "0.1", "--format", "json"])
        #expect(result.status == 0)
        #expect(result.errors.contains("replaying with --touch none: the trace has 1,048,576.0 MiB alive at its peak"))
        let report = try JSONDecoder().decode(WorkloadReport.self, from: Data(result.output.utf8))
        #expect(report.estimate.touch == .none)
        #expect(report.estimate.untouchedBecause?.contains("MiB are available to write to") == true)
        #expect(report.text.contains("(touch: none, because the trace has"))
        #expect(report.analysis.summary.peakLiveBytes == 1 << 40)
    }

    /// Where the command has to measure what was asked, it says what would do.
    @Test(arguments: [["--pool", "adaptive"], ["--pools", "adaptive"], ["--peers", "glibc"]])
    func replayingWhatIsLargerThanTheMemoryNamesTheOption(arguments: [String]) throws {
        let folder = try TemporaryFolder()
        let trace = try folder.file(named: "huge.csv", Self.hugeTrace)
        let result = try BuiltCommand.run(["replay", trace] + arguments)
        #expect(result.status == 1)
        #expect(result.errors.contains("(--touch none)"))
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        #expect(result.output == "")
    }

    @Test func readsStandardInput() throws {
        let rows = (1...40).flatMap {
            ["1,00:00:00.000001,allocate,0x\($0),4096,0", "1,00:00:00.000002,free,0x\($0),4096,0"]
        }
        let log = (["Thread,Time,Action,Pointer,Size,Stream"] + rows).joined(separator: "\n")
        let result = try BuiltCommand.run(["analyze", "-"] + Self.quick, input: log + "\n")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("No step was found"))
    }

    @Test(
        arguments: [
            (["analyze"], 64, "Missing expected argument"),
            (["analyze", "x", "--seconds", "0"], 64, "--seconds is 0.1 to 3600"),
            (["analyze", "x", "--sizes", "0"], 64, "--sizes is 1 to 1000"),
            (["analyze", "x", "--format", "xml"], 64, "'xml' is invalid"),
            (["analyze", "nonexistent.csv"], 1, "nonexistent.csv: cannot open the trace"),
            (["report", "nonexistent.csv", "-o", "x.html"], 1, "nonexistent.csv: cannot open the trace"),
            (["report", "x"], 64, "Missing expected argument"),
            (["replay", "x", "--seconds", "0"], 64, "--seconds is above 0"),
            (["replay", "x", "--pool", "system", "--configuration", "y"], 64, "--configuration is of a pool"),
        ] as [([String], Int32, String)])
    func wrongArguments(arguments: [String], status: Int32, message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == status)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(result.output == "")
    }

    @Test func refusesAnotherPoolsConfiguration() throws {
        let folder = try TemporaryFolder()
        let standard = try folder.file(named: "standard.json", #"{"version": 1, "pool": "standard"}"#)
        let result = try BuiltCommand.run(["replay", bundledTrace, "--configuration", standard])
        #expect(result.status == 1)
        #expect(result.errors.contains("give --pool standard"))
        let unknown = try folder.file(
            named: "unknown.json", #"{"version": 1, "pool": "adaptive", "configuration": {"speed": 9}}"#)
        let refused = try BuiltCommand.run(["replay", bundledTrace, "--configuration", unknown])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("configuration.speed"))
        #expect(refused.errors.contains("known are"))
    }

    @Test func anEmptyTraceIsAnError() throws {
        let folder = try TemporaryFolder()
        let empty = try folder.file(named: "empty.csv", "Thread,Time,Action,Pointer,Size,Stream\n")
        let result = try BuiltCommand.run(["analyze", empty])
        #expect(result.status == 1)
        #expect(result.errors.contains("no allocations to analyse"))
    }

    @Test(arguments: ["analyze", "report"]) func helpHasExamples(command: String) throws {
        let help = try BuiltCommand.run([command, "--help"])
        #expect(help.status == 0)
        #expect(help.output.contains("Examples:"))
        #expect(help.output.contains("Exit codes:"))
    }

    /// The library of traces knows the categories without linking the pools.
    @Test func categoriesAreThePools() {
        for shift in 0..<40 {
            for byteCount in [1 << shift, (1 << shift) + 1] {
                #expect(
                    SizeCategory(byteCount: byteCount).rawValue == TensorSizeCategory(byteCount: byteCount).description)
            }
        }
    }
}
