internal import AllocationTrace
internal import TensorPool

/// What the writer's thread does: takes events out of the rings, encodes them, writes them.
///
/// Safe: after `init` only that thread touches it.
@safe final class RecordingWriter: @unchecked Sendable {
    private let recording: Recording
    /// At most so often: reading a pool's figures stops its threads for some microseconds.
    private static let leastSampleInterval: Int64 = 10_000_000

    private let statistics: @Sendable () -> PoolStatistics
    private var samples: [PoolSample] = []
    private var latestSample: PoolSample?
    private let start: TickTimeline.Anchor
    private var timeline: TickTimeline
    private var file: BinaryTraceWriter?
    private var chunk = TraceChunk()
    private var failure: TraceRecorderError?
    private var writtenCount = 0
    /// Events in `chunk` and those handed over since the last flush.
    private var unflushedCount = 0
    private var namedThreads: Set<UInt64> = []

    /// Opens the file.
    init(
        path: String, recording: Recording, statistics: @escaping @Sendable () -> PoolStatistics
    ) throws(TraceRecorderError) {
        self.recording = recording
        self.statistics = statistics
        start = RecordingClock.anchor()
        timeline = TickTimeline(start: start)
        let clock = TraceClock(epoch: .unix, startNanoseconds: RecordingClock.unixTime())
        // Threads write in pieces, each in its order.
        let header = BinaryTraceHeader(order: .time, clock: clock, machine: .current)
        do throws(TraceWriteError) {
            var writer = try BinaryTraceWriter(path: path, header: header)
            try writer.flush()
            file = consume writer
        } catch {
            throw .cannotWrite(error)
        }
        sample(isLast: false)
    }

    func run() {
        while true {
            let wanted = recording.awaitWork()
            recording.drain {
                timeline.add(RecordingClock.anchor())
            } _: { ring, end in
                take(ring, upTo: end)
            }
            sample(isLast: wanted.isStopped)
            flush()
            recording.report(flushes: wanted.flushes, failure: failure)
            if wanted.isStopped { break }
        }
        recording.releaseRings()
        finish()
    }

    private func take(_ ring: EventRing, upTo end: Int) {
        let thread = ring.threadID
        if let name = ring.threadName, namedThreads.insert(thread).inserted {
            attempt { file throws(TraceWriteError) in try file.append([TraceThread(id: thread, name: name)]) }
        }
        ring.drain(upTo: end) { event in
            // The counter may be read a little ahead of what is before it.
            ring.latestTime = max(ring.latestTime, timeline.time(at: event.ticks))
            let recorded = RecordedEvent(
                kind: event.sizeAndKind & 1 == 0 ? .allocate : .free, address: event.address,
                byteCount: Int(event.sizeAndKind >> 1), thread: thread, time: ring.latestTime &- start.time,
                tensorID: event.tensorID)
            unflushedCount += 1
            if chunk.append(recorded) { return }
            writeChunk()
            _ = chunk.append(recorded)
        }
    }

    /// Asks what the pool holds. Again only after a while, and kept only where it changed.
    private func sample(isLast: Bool) {
        guard failure == nil else { return }
        let time = RecordingClock.monotonicTime() - start.time
        if let latestSample, !isLast, time - latestSample.time < Self.leastSampleInterval { return }
        let figures = statistics()
        let sample = PoolSample(
            time: time, liveBytes: figures.liveBytes, cachedBytes: figures.cachedBytes,
            reservedBytes: figures.reservedBytes)
        var atLatestTime = sample
        atLatestTime.time = latestSample?.time ?? -1
        if isLast || atLatestTime != latestSample { samples.append(sample) }
        latestSample = sample
    }

    private func writeChunk() {
        attempt { file throws(TraceWriteError) in try file.append(chunk) }
        chunk.removeAll()
    }

    /// After a failure nothing is written any more, and what comes counts as dropped.
    private func flush() {
        guard unflushedCount > 0 || !samples.isEmpty else { return }
        writeChunk()
        attempt { file throws(TraceWriteError) in try file.append(samples) }
        samples.removeAll(keepingCapacity: true)
        attempt { file throws(TraceWriteError) in try file.flush() }
        if failure == nil { writtenCount += unflushedCount } else { recording.countDropped(unflushedCount) }
        unflushedCount = 0
    }

    private func finish() {
        let dropped = recording.droppedEventCount
        if failure == nil, let file = file.take() {
            do throws(TraceWriteError) {
                try file.finish(droppedEvents: dropped)
            } catch {
                failure = .cannotWrite(error)
            }
        }
        file = nil
        if let failure {
            recording.report(.failure(failure))
        } else {
            recording.report(
                .success(TraceRecorderResult(writtenEventCount: writtenCount, droppedEventCount: dropped)))
        }
    }

    private func attempt(_ body: (inout BinaryTraceWriter) throws(TraceWriteError) -> Void) {
        guard failure == nil else { return }
        guard var writer = file.take() else { return }
        do throws(TraceWriteError) {
            try body(&writer)
        } catch {
            failure = .cannotWrite(error)
        }
        file = consume writer
    }
}
