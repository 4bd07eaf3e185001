import Foundation
import TensorPool
import TensorTrace
import Testing

/// What is left of a recording whose process ends, one way or another.
///
/// The process that ends cannot tell its parent where its file is, so the name is made of the parent's id.
@Suite(.serialized) struct TraceRecorderCrashTests {
    @Test func whatWasFlushedIsThereAfterAKill() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) {
            try recordFlushAndRecordMore(path: sharedPath(of: getppid()))
            kill(getpid(), SIGKILL)
        }
        try expectFlushedEvents()
    }

    @Test func whatWasFlushedIsThereAfterAFault() async throws {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            try recordFlushAndRecordMore(path: sharedPath(of: getppid()))
            signal(SIGSEGV, SIG_DFL)
            kill(getpid(), SIGSEGV)
            pause()
        }
        try expectFlushedEvents()
    }

    /// A recorder that nobody ends: the exit does.
    @Test func theNormalExitWritesEverything() async throws {
        await #expect(processExitsWith: .success) {
            let recorder = try endlessRecorder(path: sharedPath(of: getppid()))
            _ = try recorder.allocate(byteCount: 4096)
            exit(0)
        }
        let trace = try readShared()
        #expect(trace.summary.eventCount == 2)
        #expect(trace.irregularities.isEmpty)
    }

    /// A file that takes nothing holds up the exit no longer than was asked for, and what is missing is told.
    @Test(.timeLimit(.minutes(10))) func theExitDoesNotWaitForEver() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let file = TemporaryPath()
            try makePipe(file.path)
            _ = try openPipe(file.path)
            var configuration = TraceRecorderConfiguration()
            configuration.exitPatience = .milliseconds(50)
            let recorder = try endlessRecorder(path: file.path, configuration: configuration)
            // More than a pipe holds.
            for _ in 0..<30_000 { _ = try recorder.allocate(byteCount: 4096) }
            exit(0)
        }
        let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(message.contains("was not finished within 0.05 seconds"), "\(message)")
    }

    private func expectFlushedEvents() throws {
        let trace = try readShared()
        #expect(trace.summary.eventCount >= 2000)
        #expect(trace.irregularities.isTruncated)
        #expect(trace.irregularities.damagedChunks == 0)
        #expect(trace.irregularities.unmatchedFrees == 0)
    }

    private func readShared() throws -> AllocationTrace {
        let path = sharedPath(of: getpid())
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try TraceFile.read(path).trace
    }
}

private func sharedPath(of process: pid_t) -> String {
    FileManager.default.temporaryDirectory.appending(path: "recorder-\(process).tptrace").path(percentEncoded: false)
}

private func endlessRecorder(
    path: String, configuration: TraceRecorderConfiguration = TraceRecorderConfiguration()
) throws -> TraceRecorder<TensorMemoryPool> {
    let pool = try TensorMemoryPool(HybridMemoryPool())
    let recorder = try TraceRecorder(pool, path: path, configuration: configuration)
    // As a global variable would, it lives until the process ends.
    _ = unsafe Unmanaged.passRetained(Kept(recorder))
    return recorder
}

private final class Kept {
    let recorder: TraceRecorder<TensorMemoryPool>
    init(_ recorder: TraceRecorder<TensorMemoryPool>) { self.recorder = recorder }
}

private func recordFlushAndRecordMore(path: String) throws {
    let recorder = try endlessRecorder(path: path)
    for _ in 0..<1000 { _ = try recorder.allocate(byteCount: 4096) }
    try recorder.flush()
    for _ in 0..<1000 { _ = try recorder.allocate(byteCount: 4096) }
}
