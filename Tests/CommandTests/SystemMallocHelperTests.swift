import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct SystemMallocHelperTests {
    private let pair = PairMeasurement(byteCount: 4096, touch: .page)

    @Test func measuresInItsOwnProcess() throws {
        let helper = try SystemMallocHelper()
        let description = try helper.describe()
        #expect(!description.isReplacedByJemalloc)
        #if os(Linux)
        #expect(description.allocator.hasPrefix("glibc "))
        #endif
        let sample = try helper.measure(pair, iterations: 100, budget: .milliseconds(1))
        #expect(sample.iterations == 100)
        #expect(sample.nanosecondsPerPair > 0)
        #expect(try helper.measure(pair, iterations: nil, budget: .milliseconds(1)).iterations > 0)
        let report = try helper.replay(path: bundledTrace, touch: .none, rounds: 2)
        #expect(report.rounds.count == 2)
        #expect(report.warmUp == nil)
        let limit = WarmUpLimit(processorNanoseconds: .max, eventCount: 100)
        let warmed = try helper.replay(path: bundledTrace, touch: .none, warmUp: limit, rounds: 1)
        #expect(warmed.warmUp?.eventCount == 100)
        #expect(warmed.rounds.count == 1)
    }

    /// A request that fails leaves the helper fit for the next.
    @Test func survivesAFailedRequest() throws {
        let helper = try SystemMallocHelper()
        let error = try #require(throws: SystemMallocHelperError.self) {
            try helper.replay(path: "nonexistent.csv", touch: .none, rounds: 1)
        }
        guard case .failed(let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.contains("nonexistent.csv: cannot open the trace"))
        #expect(try helper.measure(pair, iterations: 3, budget: .zero).iterations == 3)
    }

    @Test func leavesNoProcessBehind() throws {
        var helper: SystemMallocHelper? = try SystemMallocHelper()
        let identifier = try #require(helper?.processIdentifier)
        #expect(kill(identifier, 0) == 0)
        helper = nil
        // A zombie would still be there.
        #expect(kill(identifier, 0) == -1)
    }

    @Test func tellsThatTheHelperIsMissing() throws {
        #expect(throws: SystemMallocHelperError.missing(path: "/nonexistent/helper")) {
            _ = try SystemMallocHelper(path: "/nonexistent/helper")
        }
    }

    @Test func tellsThatTheHelperDied() throws {
        let helper = try SystemMallocHelper()
        _ = try helper.describe()
        kill(helper.processIdentifier, SIGKILL)
        for _ in 0..<2 {
            #expect(throws: SystemMallocHelperError.died(status: SIGKILL)) { try helper.describe() }
        }
        let folder = try TemporaryFolder()
        let quitter = try SystemMallocHelper(path: folder.script("exit 3"))
        #expect(throws: SystemMallocHelperError.died(status: 3)) { try quitter.describe() }
        let cut = try SystemMallocHelper(path: folder.script("printf '{\"desc'"))
        #expect(throws: SystemMallocHelperError.died(status: 0)) { try cut.describe() }
    }

    @Test func doesNotWaitForEver() throws {
        let folder = try TemporaryFolder()
        let path = try folder.script("exec sleep 1000")
        var helper: SystemMallocHelper? = try SystemMallocHelper(path: path, patience: .milliseconds(100))
        let identifier = try #require(helper?.processIdentifier)
        #expect(throws: SystemMallocHelperError.didNotAnswer(seconds: 0)) { try helper?.describe() }
        helper = nil
        #expect(kill(identifier, 0) == -1)
    }

    @Test func tellsAnUnexpectedAnswer() throws {
        let folder = try TemporaryFolder()
        let echo = try SystemMallocHelper(path: folder.script("exec cat"))
        #expect(throws: SystemMallocHelperError.self) { try echo.describe() }
        let other = try SystemMallocHelper(
            path: folder.script(
                "read line; echo '{\"pair\":{\"_0\":{\"nanosecondsPerPair\":1,\"iterations\":1}}}'; cat"))
        let error = try #require(throws: SystemMallocHelperError.self) { try other.describe() }
        guard case .unexpectedReply = error else {
            Issue.record("\(error)")
            return
        }
    }

    /// One that knows of no warm-up leaves the key out.
    @Test func tellsThatTheHelperIsOfAnotherBuild() throws {
        let folder = try TemporaryFolder()
        let report = #"{"rounds":[],"residentBytesBefore":0,"residentPeakSource":"round"}"#
        let old = try SystemMallocHelper(
            path: folder.script("read line; echo '{\"replay\":{\"_0\":\(report)}}'; cat"))
        #expect(throws: SystemMallocHelperError.isOfAnotherBuild) {
            try old.warmUp(
                path: bundledTrace, touch: .none, mode: .sequential, WarmUpLimit(processorNanoseconds: 1000))
        }
    }

    @Test func theHelperEndsWithItsInput() throws {
        #expect(try BuiltCommand.run([], of: BuiltCommand.helper).status == 0)
        let result = try BuiltCommand.run([], of: BuiltCommand.helper, input: "rubbish\n{\"describe\":{}}\n{\"desc")
        #expect(result.status == 0)
        let replies = result.output.split(separator: "\n")
        #expect(replies.count == 3)
        #expect(replies[0].contains("failure"))
        #expect(replies[1].contains("description"))
    }

    @Test func theHelperEndsQuietlyWhenNobodyListens() throws {
        let process = Process()
        let (requests, replies, errors) = (Pipe(), Pipe(), Pipe())
        process.executableURL = BuiltCommand.helper
        process.standardInput = requests
        process.standardOutput = replies
        process.standardError = errors
        try process.run()
        try replies.fileHandleForReading.close()
        try requests.fileHandleForWriting.write(contentsOf: Data("{\"describe\":{}}\n".utf8))
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 0)
        #expect(try errors.fileHandleForReading.readToEnd() ?? Data() == Data())
    }

    @Test func theCommandTellsThatItsHelperIsMissing() throws {
        let folder = try TemporaryFolder()
        let alone = folder.url.appending(path: "tensor-pool")
        try FileManager.default.copyItem(at: BuiltCommand.tensorPool, to: alone)
        let result = try BuiltCommand.run(["replay", bundledTrace, "--pool", "system"], of: alone)
        #expect(result.status == 1)
        #expect(result.errors.contains("is missing: "))
        // A link to the command finds the helper beside the command.
        let link = folder.url.appending(path: "link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: BuiltCommand.tensorPool)
        let linked = try BuiltCommand.run(
            ["replay", bundledTrace, "--pool", "system", "--touch", "none", "--rounds", "1"], of: link)
        #expect(linked.status == 0)
    }
}
