#if os(Linux)
import AllocationTrace
import Foundation
import Testing

/// What programs do that a recorder must stand: threads, forks, closed descriptors, full disks, signals. The program is
/// `Tests/RecordedProgram`.
@Suite struct RecordedProgramTests {
    private let folder: TemporaryFolder
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        output = folder.url.appending(path: "out.tptrace").path(percentEncoded: false)
    }

    private func record(_ arguments: String..., options: [String] = []) throws -> BuiltCommand.Result {
        let program = BuiltCommand.recordedProgram.path(percentEncoded: false)
        // The program's blocks are larger than what the C library asks for itself.
        return try BuiltCommand.run(
            ["record", "-o", output, "--threshold", "10000"] + options + ["--", program] + arguments)
    }

    private func trace(_ path: String? = nil) throws -> AllocationTrace { try TraceFile.read(path ?? output).trace }

    private func expectLegal(_ trace: AllocationTrace) {
        #expect(trace.irregularities.unmatchedFrees == 0)
        #expect(trace.irregularities.reusedLiveAddresses == 0)
        #expect(trace.irregularities.droppedEvents == 0)
        #expect(!trace.irregularities.isTruncated)
    }

    @Test func everyThreadsEventsAreThere() throws {
        #expect(try record("threads").status == 0)
        let trace = try trace()
        expectLegal(trace)
        for number in 0..<4 {
            let own = trace.events.filter { $0.kind == .allocate && $0.byteCount == 10_000 + number * 8 }
            #expect(own.count == 2000)
            #expect(Set(own.map(\.thread)).count == 1)
        }
        #expect(trace.summary.threadCount == 5)
        #expect(trace.summary.crossThreadFreeCount > 0)
        #expect(trace.summary.liveAtEndBlocks == 0)
    }

    @Test func closedDescriptorsDoNotMatter() throws {
        #expect(try record("close").status == 0)
        let trace = try trace()
        expectLegal(trace)
        #expect(trace.events.count { $0.kind == .allocate && $0.byteCount == 20_000 } == 500)
        #expect(trace.summary.liveAtEndBlocks == 0)
    }

    @Test(arguments: [false, true])
    func aForkHasTwoHistories(recordsChildren: Bool) throws {
        #expect(try record("fork", options: recordsChildren ? ["--children"] : []).status == 0)
        let paths = try FileManager.default.contentsOfDirectory(atPath: folder.url.path(percentEncoded: false))
            .map { folder.url.appending(path: $0).path(percentEncoded: false) }
        #expect(paths.count == (recordsChildren ? 2 : 1))
        for path in paths {
            let trace = try trace(path)
            expectLegal(trace)
            let sizes = Set(trace.events.map(\.byteCount))
            // The parent's 500 blocks and their frees, or what the child allocated for itself.
            #expect(sizes == (path == output ? [30_000] : [40_000]))
            #expect(trace.summary.allocationCount == 500)
            #expect(trace.summary.freeCount == (path == output ? 500 : 0))
        }
    }

    @Test func nothingIsLostInAKill() throws {
        #expect(try record("kill").status == 128 + SIGKILL)
        let trace = try trace()
        expectLegal(trace)
        #expect(trace.events.count { $0.byteCount == 50_000 } == 500)
    }

    /// A disk that is full, as a limit on the bytes of a file has it: the program goes on, and what is lost is told.
    @Test func aFullDiskDoesNotHarmTheProgram() throws {
        let pairs = 50_000
        let result = try record("pairs", "\(pairs)", "1000000")
        #expect(result.status == 0)
        #expect(result.output == "unharmed\n")
        #expect(result.errors.contains("dropped for lack of room on the disk"))
        let trace = try trace()
        let dropped = trace.irregularities.droppedEvents
        #expect(dropped > 0)
        #expect(trace.summary.allocationCount > 5000)
        // A block whose allocation was dropped is not looked for when it is freed.
        #expect(trace.summary.allocationCount + dropped >= pairs)
        #expect(trace.irregularities.unmatchedFrees == 0)
    }

    /// Not so much as a header fits.
    @Test func aDiskWithoutAnyRoomDoesNotHarmTheProgram() throws {
        let result = try record("pairs", "1000", "0")
        #expect(result.status == 0)
        #expect(result.output == "unharmed\n")
        #expect(result.errors.contains("asked for nothing of 10,000 bytes or more that could be recorded"))
    }

    /// Threads of libdispatch, and so tests, hold back signals, and what they start inherits that: it is passed on as
    /// it is. Where nothing is held back, the status is the signal's.
    @Test(arguments: [("TERM", SIGTERM), ("HUP", SIGHUP), ("INT", SIGINT), ("ABRT", SIGABRT), ("USR1", SIGUSR1)])
    func theStatusIsThatOfTheSignal(name: String, signal: Int32) throws {
        for isBlocked in [false, true] {
            var (set, before) = (sigset_t(), sigset_t())
            unsafe sigemptyset(&set)
            unsafe sigaddset(&set, signal)
            unsafe pthread_sigmask(isBlocked ? SIG_BLOCK : SIG_UNBLOCK, &set, &before)
            defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
            let result = try BuiltCommand.run(
                ["record", "-o", output, "--", "sh", "-c", "kill -\(name) $$; exit 3"])
            #expect(result.status == (isBlocked ? 3 : 128 + signal), "\(name), blocked \(isBlocked)")
        }
    }
}
#endif
