import CThreadSlot
import Foundation
import TensorPool
@testable import TensorTrace
import Testing

@Suite struct TraceRecorderTests {
    private let pool: TensorMemoryPool

    init() throws { pool = try TensorMemoryPool(HybridMemoryPool()) }

    @Test func writesWhatItSees() throws {
        let file = TemporaryPath()
        let recorder = try TraceRecorder(pool, path: file.path)
        do {
            var buffer = try recorder.allocate(byteCount: 5000, zeroed: true)
            buffer.fill(with: 7)
            #expect(buffer.byteCount == 5000)
            #expect(buffer.span(of: UInt8.self)[4999] == 7)
        }
        let handle = try recorder.allocateTensor(id: 42, byteCount: 3000)
        try recorder.deallocateTensor(id: 42, handle)
        let kept = try recorder.allocate(byteCount: 1 << 20)
        let result = try recorder.finish()
        #expect(result == TraceRecorderResult.of(written: 5, dropped: 0))
        let read = try TraceFile.read(file.path)
        let trace = read.trace
        #expect(trace.events.map(\.kind) == [.allocate, .free, .allocate, .free, .allocate])
        #expect(trace.events.map(\.byteCount) == [5000, 5000, 3000, 3000, 1 << 20])
        #expect(trace.irregularities.isEmpty)
        #expect(trace.clock.epoch == .unix)
        #expect(read.machine == .current)
        let address = unsafe UInt64(UInt(bitPattern: kept.baseAddress))
        #expect(trace.addresses.last == address)
        #expect(trace.tensorIDs == [0, 0, 42, 42, 0])
    }

    /// Blocks go from thread to thread, and the trace is a legal history all the same.
    @Test func everyThreadsEventsAreThereInALegalOrder() throws {
        let file = TemporaryPath()
        var configuration = TraceRecorderConfiguration()
        // Room for all of it: this is not about dropping.
        configuration.bufferBytesPerThread = 8 << 20
        let recorder = try TraceRecorder(pool, path: file.path, configuration: configuration)
        let (threads, rounds) = (4, 20_000)
        let exchange = Exchange()
        runThreads(threads) { number in
            for round in 0..<rounds {
                guard let buffer = try? recorder.allocate(byteCount: 1024 + (round * 7 + number) % 9 * 1024) else {
                    Issue.record("no memory")
                    return
                }
                // What another thread left is freed here.
                exchange.swap(buffer)
            }
        }
        exchange.empty()
        let result = try recorder.finish()
        #expect(result.droppedEventCount == 0)
        #expect(result.writtenEventCount == 2 * threads * rounds)
        let trace = try TraceFile.read(file.path).trace
        #expect(trace.summary.allocationCount == threads * rounds)
        #expect(trace.summary.freeCount == threads * rounds)
        #expect(trace.summary.liveAtEndBlocks == 0)
        #expect(trace.summary.crossThreadFreeCount > 0)
        #expect(trace.irregularities.unmatchedFrees == 0)
        #expect(trace.irregularities.reusedLiveAddresses == 0)
        #expect(!trace.irregularities.isTruncated)
    }

    @Test func keepsSamplesOfThePool() throws {
        let file = TemporaryPath()
        let recorder = try TraceRecorder(pool, path: file.path)
        do { _ = try recorder.allocate(byteCount: 8 << 10) }
        let kept = try recorder.allocate(byteCount: 1 << 20)
        let end = pool.statistics()
        try recorder.finish()
        let trace = try TraceFile.read(file.path).trace
        let (first, last) = (try #require(trace.samples.first), try #require(trace.samples.last))
        #expect(first.liveBytes == 0)
        #expect(last.liveBytes == kept.byteCount)
        #expect(last.cachedBytes == end.cachedBytes)
        #expect(last.reservedBytes == end.reservedBytes && last.reservedBytes > last.liveBytes)
    }

    /// Whatever they are told from, times are those of the clock.
    @Test func timesAreTheClocks() throws {
        try expectTimesOfTheClock()
    }

    @Test func timesAreTheClocksWithoutACounter() async throws {
        await #expect(processExitsWith: .success) {
            tensorpool_use_clock_for_ticks()
            try expectTimesOfTheClock()
        }
    }

    /// Threads that are gone leave their events, and their buffers to others.
    @Test func threadsMayComeAndGo() throws {
        let file = TemporaryPath()
        var configuration = TraceRecorderConfiguration()
        configuration.bufferBytesPerThread = 4096
        configuration.flushInterval = .milliseconds(1)
        let recorder = try TraceRecorder(pool, path: file.path, configuration: configuration)
        for _ in 0..<100 {
            runThreads(4) { _ in _ = try? recorder.allocate(byteCount: 2000) }
        }
        #expect(try recorder.finish() == TraceRecorderResult.of(written: 800, dropped: 0))
        #expect(try TraceFile.read(file.path).trace.summary.eventCount == 800)
    }

    /// Where the file takes nothing, memory stays bounded, nobody waits, and what is lost is counted.
    @Test func dropsAndCountsWhatTheFileDoesNotTake() throws {
        let file = TemporaryPath()
        try makePipe(file.path)
        // Both ends are open before the recorder opens its own; nobody reads.
        let pipe = try openPipe(file.path)
        var configuration = TraceRecorderConfiguration()
        configuration.bufferBytesPerThread = 4096
        configuration.flushInterval = .milliseconds(1)
        let recorder = try TraceRecorder(pool, path: file.path, configuration: configuration)
        let pairs = 200_000
        for _ in 0..<pairs { _ = try recorder.allocate(byteCount: 4096) }
        #expect(recorder.droppedEventCount > 0)
        let reader = PipeReader(pipe)
        let result = try recorder.finish()
        let copy = TemporaryPath()
        try reader.bytesToTheEnd(closing: pipe).write(to: URL(filePath: copy.path))
        #expect(result.writtenEventCount + result.droppedEventCount == 2 * pairs)
        #expect(result.droppedEventCount > 0)
        let trace = try TraceFile.read(copy.path).trace
        #expect(trace.irregularities.droppedEvents == result.droppedEventCount)
        #expect(trace.irregularities.damagedChunks == 0)
        #expect(!trace.irregularities.isTruncated)
    }

    /// More threads than buffers fit into the limit: those without one are counted too.
    @Test func threadsWithoutRoomAreCounted() throws {
        let file = TemporaryPath()
        var configuration = TraceRecorderConfiguration()
        configuration.bufferBytesPerThread = 4096
        configuration.bufferByteLimit = 4096
        let recorder = try TraceRecorder(pool, path: file.path, configuration: configuration)
        _ = try recorder.allocate(byteCount: 1024)
        runThreads(3) { _ in _ = try? recorder.allocate(byteCount: 1024) }
        #expect(try recorder.finish() == TraceRecorderResult.of(written: 2, dropped: 6))
    }

    @Test func aFullDiskIsAnError() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        // The header is flushed at once, and does not fit.
        let error = try #require(throws: TraceRecorderError.self) { try TraceRecorder(pool, path: "/dev/full") }
        guard case .cannotWrite(let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.file == "/dev/full")
        #expect("\(error)".contains("No space left on device"))
    }

    /// The reader of the file goes away: flush and finish say so, and the pool works on.
    @Test func aFailureLaterOnIsAnError() async throws {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            let file = TemporaryPath()
            try makePipe(file.path)
            let pipe = try openPipe(file.path)
            let pool = try TensorMemoryPool(HybridMemoryPool())
            let recorder = try TraceRecorder(pool, path: file.path)
            close(pipe)
            _ = try recorder.allocate(byteCount: 1024)
            #expect(throws: TraceRecorderError.self) { try recorder.flush() }
            _ = try recorder.allocate(byteCount: 1024)
            let error = try #require(throws: TraceRecorderError.self) { try recorder.finish() }
            #expect("\(error)".contains("Broken pipe"))
            #expect(recorder.droppedEventCount == 4)
            _ = try recorder.allocate(byteCount: 1024)
        }
    }

    @Test func aPathThatCannotBeOpenedIsAnError() {
        let error = #expect(throws: TraceRecorderError.self) { try TraceRecorder(pool, path: "/nonexistent/x.tptrace") }
        #expect(error?.description == "/nonexistent/x.tptrace: cannot write the trace: No such file or directory")
    }

    @Test(arguments: [(\TraceRecorderConfiguration.bufferBytesPerThread, 4095), (\.bufferByteLimit, 1 << 19)])
    func settingsOutOfRangeAreErrors(setting: WritableKeyPath<TraceRecorderConfiguration, Int> & Sendable, value: Int) {
        var configuration = TraceRecorderConfiguration()
        configuration[keyPath: setting] = value
        let file = TemporaryPath()
        let error = #expect(throws: TraceRecorderError.self) {
            try TraceRecorder(pool, path: file.path, configuration: configuration)
        }
        guard case .invalidConfiguration(_, "\(value)", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!FileManager.default.fileExists(atPath: file.path))
    }

    /// The last copy's end writes everything; a buffer may live on.
    @Test func theEndOfTheRecorderWritesEverything() throws {
        let file = TemporaryPath()
        var recorder: TraceRecorder? = try TraceRecorder(pool, path: file.path)
        var buffer: TensorBuffer? = try recorder?.allocate(byteCount: 1024)
        recorder = nil
        let trace = try TraceFile.read(file.path).trace
        #expect(trace.summary.eventCount == 1)
        #expect(trace.irregularities.isEmpty)
        let byteCount = buffer?.byteCount
        #expect(byteCount == 1024)
        #expect(pool.statistics().liveBytes == 1024)
        buffer = nil
        #expect(pool.statistics().liveBytes == 0)
    }

    @Test func aRecorderThatFinishedRecordsNothingMore() throws {
        let file = TemporaryPath()
        let recorder = try TraceRecorder(pool, path: file.path)
        _ = try recorder.allocate(byteCount: 1024)
        let result = try recorder.finish()
        _ = try recorder.allocate(byteCount: 1024)
        try recorder.flush()
        #expect(try recorder.finish() == result)
        #expect(try TraceFile.read(file.path).trace.summary.eventCount == 2)
    }

    /// Two at one time, on one pool, each with its own.
    @Test func recordersDoNotMix() throws {
        let (first, second) = (TemporaryPath(), TemporaryPath())
        let outer = try TraceRecorder(pool, path: first.path)
        let inner = try TraceRecorder(pool, path: second.path)
        for _ in 0..<10 {
            _ = try outer.allocate(byteCount: 1024)
            _ = try inner.allocate(byteCount: 2048)
        }
        #expect(try outer.finish().writtenEventCount == 20)
        #expect(try inner.finish().writtenEventCount == 20)
        #expect(try TraceFile.read(first.path).trace.events.allSatisfy { $0.byteCount == 1024 })
        #expect(try TraceFile.read(second.path).trace.events.allSatisfy { $0.byteCount == 2048 })
    }
}

private func expectTimesOfTheClock() throws {
    let file = TemporaryPath()
    var configuration = TraceRecorderConfiguration()
    configuration.flushInterval = .milliseconds(3)
    let pool = try TensorMemoryPool(HybridMemoryPool())
    let recorder = try TraceRecorder(pool, path: file.path, configuration: configuration)
    let clock = ContinuousClock()
    let start = clock.now
    let first = try recorder.allocate(byteCount: 1024)
    Thread.sleep(forTimeInterval: 0.02)
    let second = try recorder.allocate(byteCount: 2048)
    let elapsed = start.duration(to: clock.now)
    _ = try recorder.finish()
    withExtendedLifetime((first.byteCount, second.byteCount)) {}
    let trace = try TraceFile.read(file.path).trace
    try #require(trace.times.count >= 2)
    let between = Duration.nanoseconds(trace.times[1] - trace.times[0])
    // What is read between the two readings of this clock; a counter's line may be off by some microseconds.
    #expect(between <= elapsed + .microseconds(50))
    #expect(between >= .milliseconds(20) - .microseconds(50))
}

extension TraceRecorderResult {
    /// As the tests expect it.
    static func of(written: Int, dropped: Int) -> TraceRecorderResult {
        TraceRecorderResult(writtenEventCount: written, droppedEventCount: dropped)
    }
}
