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

    /// Where it is installed; where it is not, that is told before anything is read.
    @Test func measuresAPreloadedMallocBesideThePools() throws {
        let folder = try TemporaryFolder()
        let trace = try smallTrace(in: folder)
        // Jemalloc is measured without being named.
        let arguments = ["--peers", "tcmalloc,jemalloc", "--format", "json"] + Self.quick
        guard (try? PreloadedMalloc.tcmalloc.library()) != nil else {
            let result = try BuiltCommand.run(["analyze", "missing.csv"] + arguments)
            #expect(result.status == 1)
            #expect(result.errors.contains("apt-get install libtcmalloc-minimal4"))
            return
        }
        let result = try BuiltCommand.run(["analyze", trace] + arguments)
        #expect(result.status == 0, "\(result.errors)")
        let report = try JSONDecoder().decode(WorkloadReport.self, from: Data(result.output.utf8))
        let names = PoolChoice.ownAndSystem.map(\.rawValue) + ["tcmalloc", "suggested"]
        #expect(report.estimate.subjects.map(\.name) == names)
        #expect(report.estimate.gains.count { $0.peer == "tcmalloc" } == 4)
        #expect(
            report.findings.contains { $0.kind == .gain && $0.text.contains("tcmalloc as it comes: ") })
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
        for line in [
            "irregularity,,unmatchedFrees,0,", "irregularity,,isTruncated,false,", "thread,0,allocations,400,",
            "lockStep,1,timesPerStep,1,", "lockStep,1,size,80000,bytes", "trace,,temporaryShare,1.0,share",
            "category,Medium,lifetimeEvents.p50,8,events", "category,Medium,distinctSizes,2,",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        #expect(lines.contains { $0.hasPrefix("trace,,reusableShare,0.9") })
        #expect(lines.contains { $0.hasPrefix("category,Small,lifetimeNanoseconds.p90,") })
    }

    @Test func growthIsInTheRows() throws {
        let folder = try TemporaryFolder()
        let rows = (1...40).flatMap {
            [
                "1,00:00:00.000001,allocate,0x1,\($0 * 65536),0", "1,00:00:00.000002,free,0x1,\($0 * 65536),0",
            ]
        }
        let trace = try folder.file(
            named: "growing.csv", (["Thread,Time,Action,Pointer,Size,Stream"] + rows).joined(separator: "\n") + "\n")
        let result = try BuiltCommand.run(["analyze", trace, "--format", "csv"] + Self.quick)
        let lines = result.output.split(separator: "\n")
        for line in [
            "growth,1,firstBytes,65536,bytes", "growth,1,lastBytes,2621440,bytes", "growth,1,stepBytes,65536,bytes",
            "growth,1,sizes,40,",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
    }

    /// What can be told without writing to it is told of what the machine has not the memory for. Such a trace is not
    /// replayed here: even untouched that takes long.
    @Test func whatIsLargerThanTheMemoryIsNotTouched() throws {
        func reason(_ touch: Touch, _ available: Int?) -> String? {
            ReplayEstimation.reasonAgainst(touch, peakLiveBytes: 64 << 30, availableBytes: available)
        }
        #expect(
            reason(.page, 32 << 30)
                == "the trace has 65,536.0 MiB alive at its peak, and 32,768.0 MiB are available to write to")
        #expect(reason(.full, 65 << 30) != nil)
        #expect(reason(.page, 70 << 30) == nil)
        #expect(reason(.none, 32 << 30) == nil)
        #expect(reason(.page, nil) == nil)
        var estimate = ReplayEstimate(
            traceEvents: 1, replayedEvents: 1, touch: .none, turns: 1, subjects: [], gains: [])
        #expect(estimate.touchText == "none")
        #expect(try JSONKeys(JSONOutput.text(estimate)).names.contains("untouchedBecause") == false)
        estimate.untouchedBecause = "it is too large"
        #expect(estimate.touchText == "none, because it is too large")
    }

    private static let hugeTrace =
        "Thread,Time,Action,Pointer,Size,Stream\n"
        + (1...4096).map { "1,00:00:00.000001,allocate,0x\($0),268435456,0\n" }.joined()

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
            (["report", "nonexistent.csv", "-o", "-"], 1, "nonexistent.csv: cannot open the trace"),
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

    @Test(arguments: [["analyze"], ["replay"], ["plan"], ["main-job"], ["check-estimate"], ["report", "-o", "-"]])
    func anEmptyTraceIsAnError(arguments: [String]) throws {
        let header = "Thread,Time,Action,Pointer,Size,Stream\n"
        let result = try BuiltCommand.run(arguments + ["-"], input: header)
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errors == "Error: standard input: the trace has no allocations\n")
        // What it held instead says why.
        let odd = try BuiltCommand.run(arguments + ["-"], input: header + "1,00:00:00.000001,free,0x1,8,0\n")
        #expect(odd.status == 1)
        #expect(odd.errors.hasSuffix("the trace has no allocations: frees of nothing live, left out: 1\n"))
    }

    @Test func aTraceThatIsCutOffSaysSo() throws {
        let folder = try TemporaryFolder()
        let whole = folder.url.appending(path: "whole.tptrace")
        let cut = folder.url.appending(path: "cut.tptrace")
        #expect(try BuiltCommand.run(["convert", bundledTrace, whole.path(percentEncoded: false)]).status == 0)
        try Data(contentsOf: whole).prefix(300).write(to: cut)
        let result = try BuiltCommand.run(["analyze", cut.path(percentEncoded: false)])
        #expect(result.status == 1)
        #expect(result.errors.contains("the trace has no allocations: "))
        #expect(result.errors.contains("the file is cut off"))
        try Data(contentsOf: URL(filePath: bundledTrace)).prefix(12).write(to: cut)
        let compressed = try BuiltCommand.run(["analyze", cut.path(percentEncoded: false)])
        #expect(compressed.status == 1)
        #expect(
            compressed.errors.contains("the file starts with nothing, and is cut off within its compressed data"),
            "\(compressed.errors)")
    }

    /// Before anything is read, and so before anything is measured; and what is there stays as it is.
    @Test func whatCannotBeWrittenIsToldFirst() throws {
        let folder = try TemporaryFolder()
        let place = folder.url.path(percentEncoded: false)
        for (arguments, content) in [
            (["report", "nonexistent.csv", "-o"], "the page"),
            (["analyze", "nonexistent.csv", "--configuration"], "the configuration"),
            (["plan", "nonexistent.csv", "-o"], "the plan"),
        ] {
            for (path, reason) in [
                (place + "/no/x", "No such file or directory"), (place, "Is a directory"),
            ] {
                let result = try BuiltCommand.run(arguments + [path])
                #expect(result.status == 1)
                #expect(result.errors == "Error: \(path): cannot write \(content): \(reason)\n")
            }
            let kept = try folder.file(named: "kept", "as it was")
            #expect(try BuiltCommand.run(arguments + [kept]).errors.contains("cannot open the trace"))
            #expect(try String(contentsOfFile: kept, encoding: .utf8) == "as it was")
        }
        #expect(try BuiltCommand.run(["analyze", "x", "--configuration", "-"]).status == 64)
        #expect(try BuiltCommand.run(["plan", "x", "-o", "-"]).status == 64)
    }

    @Test func damagedJSONSaysWhere() throws {
        let folder = try TemporaryFolder()
        for (text, place) in [
            ("{\n\"version\" 1}", "it is not JSON: Invalid value around character 12"),
            ("{\"version\": \"x\", \"pool\": 3}", "version"),
        ] {
            let path = try folder.file(named: "bad.json", text)
            let result = try BuiltCommand.run(["replay", bundledTrace, "--configuration", path])
            #expect(result.status == 1)
            #expect(result.errors.contains("bad.json: "))
            #expect(result.errors.contains(place), "\(result.errors)")
        }
    }

    @Test func damagedCompressedDataSaysWhere() throws {
        let folder = try TemporaryFolder()
        var data = try Data(contentsOf: URL(filePath: bundledTrace))
        // In the checksum: damage before it may be text that cannot be read.
        data[data.count - 6] ^= 0xff
        let path = folder.url.appending(path: "damaged.csv.gz")
        try data.write(to: path)
        let result = try BuiltCommand.run(["analyze", path.path(percentEncoded: false)])
        #expect(result.status == 1)
        #expect(result.errors.contains("damaged.csv.gz: cannot read on after line "), "\(result.errors)")
        #expect(result.errors.contains(": incorrect data check, before byte "))
        #expect(!result.errors.contains("<fd:"))
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
