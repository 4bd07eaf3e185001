import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct ReplayModesTests {
    /// Two producers and a consumer that frees their tensors, with times 50 microseconds apart.
    private static let threads: String = {
        var text = "Thread,Time,Action,Pointer,Size,Stream\n"
        var microseconds = 0
        func row(_ thread: Int, _ action: String, _ address: Int, _ size: Int) {
            microseconds += 50
            let time = String(format: "00:00:%02d.%06d", microseconds / 1_000_000, microseconds % 1_000_000)
            text += "\(thread),\(time),\(action),0x\(String(address, radix: 16)),\(size),0\n"
        }
        for index in 1...200 {
            row(index % 2, "allocate", index, index * 100)
            if index > 3 { row(2, "free", index - 3, (index - 3) * 100) }
        }
        return text
    }()

    private func output(_ arguments: [String]) throws -> ReplayOutput {
        let folder = try TemporaryFolder()
        let file = try folder.file(named: "threads.csv", Self.threads)
        let result = try BuiltCommand.run(["replay", file, "--format", "json"] + arguments)
        #expect(result.status == 0, "\(result.errors)")
        return try JSONDecoder().decode(ReplayOutput.self, from: Data(result.output.utf8))
    }

    @Test(arguments: PoolChoice.ownAndSystem)
    func replaysThreadsAsThreads(pool: PoolChoice) throws {
        let output = try output(["--concurrent", "--pool", pool.rawValue, "--rounds", "3"])
        #expect(output.mode == ReplayMode(isConcurrent: true))
        #expect(output.trace.threadCount == 3)
        #expect(output.trace.crossThreadFreeCount == 197)
        #expect(output.rounds.count == 3)
        #expect(output.rounds.allSatisfy { $0.nanoseconds > 0 && $0.processorNanoseconds > 0 })
        #expect(output.latencies?.events?.count == 3 * 397)
    }

    /// 397 events take 20 ms as recorded: no round can be shorter than that over the speed.
    @Test(arguments: [false, true], [nil, "2"])
    func replaysAtTheRecordedPace(isConcurrent: Bool, speed: String?) throws {
        let arguments = (isConcurrent ? ["--concurrent"] : []) + (speed.map { ["--speed", $0] } ?? [])
        let output = try output(["--timed", "--pool", "system"] + arguments)
        let factor = speed.flatMap { Double($0) } ?? 1
        #expect(output.mode == ReplayMode(isConcurrent: isConcurrent, speed: factor))
        #expect(output.rounds.count == 1)
        #expect(Double(output.rounds[0].nanoseconds) >= 396 * 50_000 / factor)
        let busy = try #require(output.rounds[0].busyNanoseconds)
        #expect(output.nanosecondsPerEvent.median == Double(busy) / 397)
        #expect(output.latencies?.events?.count == 397)
        #expect(output.latencies?.lateness?.count == 397)
    }

    @Test func aTraceWithoutTimesHasNoPace() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file(named: "problem.csv", "id,lower,upper,size\na,0,3,4096\nb,1,9,4096\n")
        for pool in ["adaptive", "system"] {
            let result = try BuiltCommand.run(["replay", file, "--timed", "--pool", pool])
            #expect(result.status == 1)
            #expect(result.errors.contains("the trace has no times, which a replay at the recorded pace needs"))
        }
    }

    @Test func comparesPoolsAndPeers() throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--pools", "optimized,adaptive", "--peers", "glibc,jemalloc", "--touch", "none",
            "--rounds", "4", "--turns", "2", "--latency-rounds", "1", "--format", "json",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let output = try JSONDecoder().decode(ReplayComparisonOutput.self, from: Data(result.output.utf8))
        #expect(output.subjects.map(\.name) == ["optimized", "adaptive", "system", "jemalloc"])
        #expect(output.trace.eventCount == 11_917)
        for subject in output.subjects {
            // The later two of four rounds, in two processes.
            #expect(subject.nanosecondsPerEvent.rounds == 4)
            #expect(subject.processorNanosecondsPerEvent.rounds == 4)
            #expect(subject.firstRound.rounds == 2)
            #expect(subject.processorNanosecondsPerEvent.minimum > 0)
            #expect(subject.latencies?.rounds == 1)
            #expect(subject.residentPeakBytes > 0)
        }
        #expect(output.text.contains("optimized"))
        #expect(output.text.contains("reading it costs"))
    }

    /// Where it is installed; where it is not, the error says how to get it.
    @Test(arguments: [PreloadedMalloc.tcmalloc, .mimalloc])
    func measuresAPreloadedMalloc(malloc: PreloadedMalloc) throws {
        let result = try BuiltCommand.run([
            "replay", bundledTrace, "--pool", malloc.rawValue, "--touch", "none", "--rounds", "2", "--format", "json",
        ])
        guard (try? malloc.library()) != nil else {
            #expect(result.status == 1)
            #expect(result.errors.contains("apt-get install \(malloc.package)"))
            return
        }
        #expect(result.status == 0, "\(result.errors)")
        let output = try JSONDecoder().decode(ReplayOutput.self, from: Data(result.output.utf8))
        #expect(output.pool.allocator.hasPrefix("\(malloc.rawValue) (lib"))
        #expect(output.rounds.count == 2)
    }

    @Test func tellsWhichPackageIsMissing() throws {
        let error = try #require(throws: SystemMallocHelperError.self) {
            try PreloadedMalloc.mimalloc.library(in: ["/nonexistent"])
        }
        #expect("\(error)".contains("mimalloc is not installed: no libmimalloc.so.2 in /nonexistent"))
        #expect("\(error)".contains("apt-get install libmimalloc2.0"))
    }

    /// The loader goes on without what it cannot load: that must not pass for the peer.
    @Test func tellsThatNothingWasPreloaded() throws {
        let helper = try SystemMallocHelper()
        let error = try #require(throws: SystemMallocHelperError.self) {
            try PreloadedMalloc.tcmalloc.check(helper.describe(), preloaded: "/nonexistent/libtcmalloc_minimal.so.4")
        }
        guard case .notPreloaded(.tcmalloc, _, let found) = error else {
            Issue.record("\(error)")
            return
        }
        #if os(Linux)
        #expect(found.contains("libc"))
        #endif
    }
}
