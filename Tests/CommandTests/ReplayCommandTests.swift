import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct ReplayCommandTests {
    @Test(arguments: PoolChoice.ownAndSystem)
    func printsATable(pool: PoolChoice) throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--pool", pool.rawValue, "--touch", "none", "--rounds", "3",
        ])
        #expect(result.status == 0)
        // No terminal, no progress.
        #expect(result.errors == "")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].hasSuffix("11,917 events, 1 thread, peak live 311.6 MiB in 154 blocks"))
        #expect(lines[1].hasPrefix("Pool     \(pool.rawValue): "))
        let heading = try #require(lines.firstIndex { $0.hasPrefix("round") })
        #expect(
            lines[heading].split(separator: "  ").map { $0.trimmingCharacters(in: CharacterSet.whitespaces) }
                == ["round", "ns/event", "ms", "processor ms", "page faults", "peak resident MiB"])
        let rows = lines[(heading + 2)..<(heading + 5)]
        #expect(rows.map { $0.split(separator: " ")[0] } == ["1", "2", "3"])
        // Right alignment: every row ends below the heading's last letter.
        #expect(rows.allSatisfy { $0.count == lines[heading].count })
        #expect(lines.allSatisfy { $0.last != " " })
    }

    @Test(arguments: PoolChoice.ownAndSystem)
    func printsJSON(pool: PoolChoice) throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--pool", pool.rawValue, "--touch", "page", "--rounds", "2", "--latency-rounds",
            "1",
            "--format", "json",
        ])
        #expect(result.status == 0)
        let output = try JSONDecoder().decode(ReplayOutput.self, from: Data(result.output.utf8))
        #expect(output.file == bundledTrace)
        #expect(output.trace.eventCount == 11_917)
        #expect(output.trace.threadCount == 1)
        #expect(output.trace.peakLiveBytes == 326_696_960)
        #expect(output.irregularities.isEmpty)
        #expect(output.pool.name == pool.rawValue)
        #expect(output.touch == .page)
        #expect(output.rounds.count == 2)
        #expect(output.rounds.allSatisfy { $0.nanoseconds > 0 && $0.processorNanoseconds > 0 })
        #expect(output.rounds.allSatisfy { $0.busyNanoseconds == nil })
        #expect(output.mode == .sequential)
        #expect(output.latencies?.rounds == 1)
        #expect(output.latencies?.events?.count == 11_917)
        #expect(output.latencies?.allocations?.count == output.trace.allocationCount)
        #expect(output.nanosecondsPerEvent.rounds == 1)
        #expect(output.nanosecondsPerEvent.median == Double(output.rounds[1].nanoseconds) / 11_917)
        // What is touched has been resident and has faulted in, at its peak at least. The counts may lag a little.
        let grown = output.residentGrowthBytes
        let made = output.pool.figures.map { $0.constructionResidentBytes + $0.prewarmResidentBytes } ?? 0
        #expect(grown == output.residentPeakBytes - output.residentBytesBefore + made)
        #expect(Double(grown) > 0.95 * Double(output.trace.peakLiveBytes))
        #expect(output.residentGrowthOverPeakLive == Double(grown) / Double(output.trace.peakLiveBytes))
        // The optimized strategy's huge pages take one fault for 2 MiB.
        let isInSmallPages = [.standard, .jemalloc, .system].contains(pool)
        let pageBytes = isInSmallPages ? output.machine.pageBytes : 2 << 20
        #expect(output.rounds[0].minorPageFaults > output.trace.peakLiveBytes / pageBytes / 2)
    }

    @Test(arguments: [PoolChoice.standard, .optimized, .adaptive])
    func poolsTellTheirFigures(pool: PoolChoice) throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--pool", pool.rawValue, "--rounds", "3", "--format", "json",
        ])
        let output = try JSONDecoder().decode(ReplayOutput.self, from: Data(result.output.utf8))
        let figures = try #require(output.pool.figures)
        #expect(figures.constructionNanoseconds > 0)
        #expect((0...1).contains(figures.reuseRate))
        #expect((0...1).contains(figures.cacheHitRate))
        #expect(figures.cacheHitRate > 0.2)
        switch pool {
        case .standard:
            #expect(figures.prewarmResidentBytes < 1 << 20)
        default:
            // 8 MiB are prewarmed, and what was once in use stays.
            #expect(figures.prewarmResidentBytes > 4 << 20)
            #expect(figures.reservedBytes > output.trace.peakLiveBytes / 2)
            #expect(figures.reuseRate > 0.9)
        }
    }

    /// The promise that a repeated trace needs no new pages: counted, not timed.
    @Test func theOptimizedPoolMeetsNoPageFaultsAfterTheFirstRound() throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--pool", "optimized", "--touch", "page", "--rounds", "5", "--format", "json",
        ])
        let output = try JSONDecoder().decode(ReplayOutput.self, from: Data(result.output.utf8))
        // Some faults are the process's own: its output, its libraries. The trace's pages are 70,000.
        #expect(output.minorPageFaults.median < 50)
    }

    @Test func theAdaptivePoolIsTheDefault() throws {
        let result = try BuiltCommand.run(["replay", bundledTrace, "--touch", "none", "--rounds", "1"])
        #expect(result.output.contains("Pool     adaptive: TensorPool's adaptive pool on jemalloc"))
        #expect(result.output.contains("Made in  "))
        #expect(result.output.contains("of the allocations needed no new memory"))
    }

    /// Scripts rely on these keys: a change here breaks them.
    @Test func keepsItsKeys() throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--touch", "none", "--rounds", "1", "--format", "json",
        ])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "file", "irregularities", "latencies", "machine", "minorPageFaults", "mode", "nanosecondsPerEvent",
                "pool",
                "processorNanosecondsPerEvent", "residentBytesBefore", "residentGrowthBytes",
                "residentGrowthOverPeakLive", "residentPeakBytes",
                "residentPeakSource",
                "rounds", "touch", "trace",
            ])
        func keys(_ value: Any?) -> Set<String> { Set((value as? [String: Any] ?? [:]).keys) }
        #expect(
            keys((object["rounds"] as? [Any])?.first) == [
                "minorPageFaults", "nanoseconds", "processorNanoseconds", "residentPeakBytes",
            ])
        #expect(keys(object["latencies"]) == ["allocations", "clockNanoseconds", "events", "frees", "rounds"])
        #expect(
            keys((object["latencies"] as? [String: Any])?["events"]) == [
                "count", "maximum", "mean", "p50", "p90", "p99", "p999",
            ])
        #expect(keys(object["pool"]) == ["allocator", "figures", "name"])
        #expect(
            keys((object["pool"] as? [String: Any])?["figures"]) == [
                "cacheHitRate", "constructionNanoseconds", "constructionResidentBytes", "prewarmNanoseconds",
                "prewarmResidentBytes", "reservedBytes", "reuseRate",
            ])
        #expect(
            keys(object["nanosecondsPerEvent"]) == [
                "lowerQuartile", "maximum", "median", "minimum", "rounds", "upperQuartile",
            ])
        #expect(
            keys(object["trace"]) == [
                "allocatedBytes", "allocationCount", "crossThreadFreeCount", "eventCount", "freeCount",
                "largestAllocationBytes", "liveAtEndBlocks", "liveAtEndBytes", "peakLiveBlocks", "peakLiveBytes",
                "threadCount",
            ])
        #expect(
            keys(object["irregularities"]) == [
                "clockSteps", "damagedChunks", "droppedEvents", "emptyAllocations", "failedAllocations",
                "incompleteEvents", "isTruncated", "mismatchedSizes", "otherDeviceEvents", "otherProcessEvents",
                "reorderedEvents", "reusedLiveAddresses", "unmatchedFrees", "unreadableTimes",
            ])
        let machine: Set = ["cores", "date", "kernel", "memoryBytes", "pageBytes", "processor"]
        #expect(keys(object["machine"]).subtracting(["transparentHugePages"]) == machine)
    }

    /// The rounds after a warm-up are whole.
    @Test(arguments: [PoolChoice.adaptive, .system])
    func warmsUpFirst(pool: PoolChoice) throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--pool", pool.rawValue, "--touch", "none", "--rounds", "2", "--latency-rounds",
            "0",
            "--warm-up", "60", "--format", "json",
        ])
        let output = try JSONDecoder().decode(ReplayOutput.self, from: Data(result.output.utf8))
        let warmUp = try #require(output.warmUp)
        #expect(warmUp.eventCount == 11_917)
        #expect(warmUp.processorNanoseconds > 0)
        #expect(output.rounds.count == 2)
        let subject = try #require(ReplaySubject("x", [output]))
        #expect(subject.firstRound.median == Double(warmUp.nanoseconds) / 11_917)
    }

    /// As far again as the first time, or less where the time is over.
    @Test(arguments: [PoolChoice.standard, .optimized, .adaptive, .jemalloc, .system])
    func looksTwice(pool: PoolChoice) throws {
        let result = try BuiltCommand.run([
            "look", bundledTrace, "--pool", pool.rawValue, "--touch", "none", "--seconds", "0.000001",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let passes = try JSONDecoder().decode([ReplayWarmUp].self, from: Data(result.output.utf8))
        #expect(passes.count == 2)
        #expect(passes[0].eventCount < 11_917)
        #expect(passes[1].eventCount <= passes[0].eventCount)
    }

    @Test(arguments: [
        (["replay"], "Missing expected argument"),
        (["replay", "x", "--pool", "fast"], "'fast' is invalid"),
        (["replay", "x", "--touch", "some"], "'some' is invalid"),
        (["replay", "x", "--rounds", "0"], "--rounds is 1 to 100000, not 0"),
        (["replay", "x", "--rounds", "100001"], "--rounds is 1 to 100000"),
        (["replay", "x", "--rounds", "many"], "'many' is invalid"),
        (["replay", "x", "--format", "xml"], "'xml' is invalid"),
        (["replay", "x", "--fast"], "Unknown option"),
        (["replay", "x", "--speed", "2"], "give --timed"),
        (["replay", "x", "--timed", "--speed", "0"], "--speed is above 0"),
        (["replay", "x", "--timed", "--latency-rounds", "2"], "with --timed every round has latencies"),
        (["replay", "x", "--latency-rounds", "1001"], "--latency-rounds is 0 to 1000"),
        (["replay", "x", "--warm-up", "0"], "--warm-up is above 0"),
        (["replay", "x", "--warm-up", "3601"], "up to 3600 seconds"),
        (["look", "x", "--pool", "system", "--seconds", "0"], "--seconds is above 0"),
        (["replay", "x", "--turns", "2"], "give --pools or --peers"),
        (["replay", "x", "--pools", "standard,fast"], "'standard,fast' is invalid"),
        (["replay", "x", "--peers", "jemalloc,jemalloc"], "'jemalloc,jemalloc' is invalid"),
        (["replay", "x", "--peers", ""], "'' is invalid"),
        (["replay", "x", "--pool", "adaptive", "--peers", "glibc"], "--pool measures one"),
        (["replay", "x", "--pools", "adaptive", "--configuration", "y"], "give it with --pool"),
        (["nonsense"], "Unexpected argument"),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
        #expect(result.output == "")
    }

    @Test(arguments: PoolChoice.ownAndSystem)
    func aFileThatCannotBeReadExitsWith1(pool: PoolChoice) throws {
        let folder = try TemporaryFolder()
        let malformed = try folder.file(named: "bad.csv", "Thread,Time,Action,Pointer,Size,Stream\n1,t,x,0x1,1,0\n")
        let missing = try BuiltCommand.run(["replay", "nonexistent.csv", "--pool", pool.rawValue])
        #expect(missing.status == 1)
        #expect(missing.errors.contains("nonexistent.csv: cannot open the trace: No such file"))
        let bad = try BuiltCommand.run(["replay", malformed, "--pool", pool.rawValue])
        #expect(bad.status == 1)
        #expect(bad.errors.contains("bad.csv:2: expected an action"))
        #expect(bad.output == "")
    }

    @Test(arguments: PoolChoice.ownAndSystem)
    func anImpossibleTraceExitsWith1(pool: PoolChoice) throws {
        let folder = try TemporaryFolder()
        let huge = try folder.file(
            named: "huge.csv", "Thread,Time,Action,Pointer,Size,Stream\n1,t,allocate,0x1,1125899906842624,0\n")
        let touched = try BuiltCommand.run(["replay", huge, "--pool", pool.rawValue, "--touch", "full"])
        #expect(touched.status == 1)
        #expect(touched.errors.contains("are available to write to"))
        let untouched = try BuiltCommand.run(["replay", huge, "--pool", pool.rawValue, "--touch", "none"])
        #expect(untouched.status == 1)
        #expect(untouched.errors.contains("allocating 1125899906842624 bytes failed at event 0"))
    }

    @Test func namesOddRows() throws {
        let folder = try TemporaryFolder()
        let odd = try folder.file(
            named: "odd.csv",
            "Thread,Time,Action,Pointer,Size,Stream\n1,5,free,0x1,1,0\n1,5,allocate,0x1,9,0\n1,5,fr")
        let result = try BuiltCommand.run(["replay", odd, "--rounds", "1"])
        #expect(result.status == 0)
        #expect(result.output.contains("Odd      frees of nothing live, left out: 1; the file is cut off"))
    }
}
