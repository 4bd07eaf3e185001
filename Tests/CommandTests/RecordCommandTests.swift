#if os(Linux)
import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct RecordCommandTests {
    private let folder: TemporaryFolder
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        output = folder.url.appending(path: "out.tptrace").path(percentEncoded: false)
    }

    private func record(_ command: [String], _ options: [String] = []) throws -> BuiltCommand.Result {
        try BuiltCommand.run(["record", "-o", output] + options + ["--"] + command)
    }

    private func trace() throws -> AllocationTrace { try TraceFile.read(output).trace }

    /// Nothing but the traces is left.
    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.url.path(percentEncoded: false)).sorted()
    }

    @Test func recordsAProgram() throws {
        let result = try record(["ls", "/"])
        #expect(result.status == 0)
        #expect(result.output.contains("usr"))
        #expect(result.errors.contains("out.tptrace (ls, process "))
        let trace = try trace()
        #expect(trace.summary.eventCount > 2)
        #expect(trace.events.allSatisfy { $0.byteCount >= 1024 })
        #expect(trace.irregularities.unmatchedFrees == 0)
        #expect(trace.irregularities.reusedLiveAddresses == 0)
        #expect(trace.irregularities.droppedEvents == 0)
        #expect(try files() == ["out.tptrace"])
    }

    @Test func theThresholdDecides() throws {
        _ = try record(["ls", "/"], ["--threshold", "16"])
        let all = try trace()
        #expect(all.events.contains { $0.byteCount < 1024 })
        #expect(all.irregularities.unmatchedFrees == 0)
        #expect(all.irregularities.reusedLiveAddresses == 0)
        let none = try record(["ls", "/"], ["--threshold", "1000000000"])
        #expect(none.status == 0)
        #expect(none.errors.contains("ls asked for nothing of 1,000,000,000 bytes or more"))
        #expect(try trace().events.isEmpty)
    }

    @Test func exitCodesAreThoseOfTheProgram() throws {
        #expect(try record(["sh", "-c", "exit 7"]).status == 7)
        #expect(try record(["sh", "-c", "kill -KILL $$"]).status == 128 + SIGKILL)
        let missing = try record(["nonexistent-program"])
        #expect(missing.status == 127)
        #expect(missing.errors.contains("nonexistent-program cannot be started: No such file or directory"))
        #expect(try record(["/"]).status == 126)
        #expect(try files() == ["out.tptrace"])
    }

    @Test(arguments: [
        (["record"], "Put the program behind --"),
        (["record", "--threshold", "0", "--", "ls"], "--threshold is at least 1 byte, not 0."),
        (["record", "-o", "x.csv", "--", "ls"], "end the name 'x.csv' in .tptrace"),
        (["record", "--recover", "x", "--", "ls"], "--recover runs no program."),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
    }

    @Test func aTraceThatCannotBeWrittenRunsNothing() throws {
        let result = try BuiltCommand.run(["record", "-o", "/nonexistent/x.tptrace", "--", "echo", "ran"])
        #expect(result.status == 125)
        #expect(result.output == "")
        #expect(result.errors.contains("/nonexistent/ for what is recorded cannot be made: No such file or directory"))
    }

    /// A program that is killed leaves all that it did.
    @Test(arguments: [("KILL", SIGKILL), ("SEGV", SIGSEGV)])
    func whatWasRecordedIsThereAfterACrash(name: String, signal: Int32) throws {
        // The shell's own allocations; without the last line it would run to its end.
        let script = "x=$(printf '%5000s' a); y=$x$x$x; kill -\(name) $$; sleep 100"
        let result = try record(["sh", "-c", script], ["--threshold", "64"])
        #expect(result.status == 128 + signal)
        let trace = try trace()
        #expect(trace.summary.allocationCount > 0)
        #expect(trace.irregularities.unmatchedFrees == 0)
        #expect(trace.irregularities.reusedLiveAddresses == 0)
        #expect(!trace.irregularities.isTruncated)
    }

    /// One program runs another in its place, and others beside: the first leaves the last one's trace.
    @Test func childrenLeaveTracesOfTheirOwn() throws {
        let script = "ls / >/dev/null; ls / >/dev/null; exec cat /dev/null"
        #expect(try record(["sh", "-c", script]).status == 0)
        #expect(try files() == ["out.tptrace"])
        let result = try record(["sh", "-c", script], ["--children"])
        #expect(result.status == 0)
        #expect(result.errors.contains("out.tptrace (cat, process"))
        let names = try files()
        #expect(names.count == 3)
        for name in names {
            let trace = try TraceFile.read(folder.url.appending(path: name).path(percentEncoded: false)).trace
            #expect(trace.irregularities.unmatchedFrees == 0)
        }
    }

    /// The child of a fork goes on for itself: the parent's blocks are not its own, nor is the parent's file.
    @Test func aForkedChildDoesNotWriteIntoTheParentsTrace() throws {
        let result = try record(
            ["sh", "-c", "(x=$(printf '%9000s' a); y=$x$x); :"], ["--threshold", "64", "--children"])
        #expect(result.status == 0)
        #expect(try files().count > 1)
        for name in try files() {
            let trace = try TraceFile.read(folder.url.appending(path: name).path(percentEncoded: false)).trace
            #expect(trace.summary.threadCount <= 1)
            #expect(trace.irregularities.unmatchedFrees == 0)
            #expect(trace.irregularities.reusedLiveAddresses == 0)
        }
    }

    /// The helper serves as any Swift program.
    @Test func recordsASwiftProgram() throws {
        let program = BuiltCommand.helper.path(percentEncoded: false)
        #expect(try record([program], ["--threshold", "16"]).status == 0)
        let trace = try trace()
        #expect(trace.summary.eventCount > 10)
        #expect(trace.irregularities.unmatchedFrees == 0)
    }

    @Test func signalsArePassedOn() throws {
        let process = Process()
        process.executableURL = BuiltCommand.tensorPool
        process.arguments = [
            "record", "-o", output, "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done",
        ]
        let printed = Pipe()
        process.standardOutput = printed
        process.standardError = FileHandle.nullDevice
        try process.run()
        _ = try printed.fileHandleForReading.read(upToCount: 5)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 9)
    }

    /// The command itself is killed: its folder stays, and is recovered.
    @Test func whatAKilledCommandLeavesCanBeRecovered() throws {
        let process = Process()
        process.executableURL = BuiltCommand.tensorPool
        process.arguments = [
            "record", "-o", output, "--threshold", "64", "--", "sh", "-c", "echo $$; while :; do sleep 0.05; done",
        ]
        let printed = Pipe()
        process.standardOutput = printed
        try process.run()
        let program = printed.fileHandleForReading.availableData
        kill(process.processIdentifier, SIGKILL)
        // The program lives on without the command, and Foundation waits for both.
        kill(try #require(pid_t(String(decoding: program.dropLast(), as: UTF8.self))), SIGKILL)
        process.waitUntilExit()
        let left = try #require(try files().first { $0.hasPrefix("out.tptrace.recording-") })
        let recording = folder.url.appending(path: left).path(percentEncoded: false)
        let result = try BuiltCommand.run(["record", "-o", output, "--recover", recording])
        #expect(result.status == 0)
        #expect(try trace().summary.eventCount > 0)
    }

    @Test func aFolderWithoutARecordingLeavesTheOutputAsItWas() throws {
        try Data("as it was".utf8).write(to: URL(filePath: output))
        let place = folder.url.path(percentEncoded: false)
        for (path, message) in [
            (place, "no recording is in this folder"),
            ("/nonexistent", "/nonexistent: cannot read the folder of the recording: No such file or directory"),
        ] {
            let result = try BuiltCommand.run(["record", "-o", output, "--recover", path])
            #expect(result.status == 125)
            #expect(result.errors.contains(message), "\(result.errors)")
            #expect(try String(contentsOfFile: output, encoding: .utf8) == "as it was")
        }
    }

    /// What stands in such a file comes from outside.
    @Test func damagedRecordingsAreSurvived() throws {
        let damaged = folder.url.appending(path: "damaged")
        try FileManager.default.createDirectory(at: damaged, withIntermediateDirectories: true)
        var whole = Data("TPRAWREC".utf8) + Data([1, 0, 0, 0]) + Data(count: 4084)
        // Two records, one of an unknown kind, and one of a size that nothing has.
        for (kind, size) in [(1, 0), (9, 0), (1, 0xff), (2, 0)] as [(UInt8, UInt8)] {
            whole += Data(repeating: 0xff, count: 16) + Data([0, 16, 0, 0, 0, 0, 0, size])
            whole += Data([5, 0, 0, 0, kind, 0, 0, 0])
        }
        try (whole + Data(count: 17)).write(to: damaged.appending(path: "7-0.raw"))
        try Data(count: 5000).write(to: damaged.appending(path: "8-0.raw"))
        try whole.prefix(100).write(to: damaged.appending(path: "9-0.raw"))
        try whole.write(to: damaged.appending(path: "x.raw"))
        let result = try BuiltCommand.run(
            ["record", "-o", output, "--recover", damaged.path(percentEncoded: false)])
        #expect(result.status == 0)
        #expect(try trace().events.map(\.kind) == [.allocate, .free])
    }

    @Test func tellsThatTheLibraryIsMissing() throws {
        let alone = folder.url.appending(path: "tensor-pool")
        try FileManager.default.copyItem(at: BuiltCommand.tensorPool, to: alone)
        let result = try BuiltCommand.run(["record", "-o", output, "--", "ls"], of: alone)
        #expect(result.status == 125)
        #expect(result.errors.contains("\(RecordedProgram.libraryName) is missing: build the whole package"))
    }

    @Test func helpHasExamplesAndExitCodes() throws {
        let help = try BuiltCommand.run(["record", "--help"])
        #expect(help.status == 0)
        #expect(help.output.contains("Examples:"))
        #expect(help.output.contains("Exit codes:"))
    }
}
#endif
