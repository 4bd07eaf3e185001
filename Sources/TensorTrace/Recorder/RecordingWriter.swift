internal import AllocationTrace

/// What the writer's thread does: takes events out of the rings, encodes them, writes them.
///
/// Safe: after `init` only that thread touches it.
@safe final class RecordingWriter: @unchecked Sendable {
    private let recording: Recording
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
    init(path: String, recording: Recording) throws(TraceRecorderError) {
        self.recording = recording
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
    }

    func run() {
        while true {
            let wanted = recording.awaitWork()
            recording.drain {
                timeline.add(RecordingClock.anchor())
            } _: { ring, end in
                take(ring, upTo: end)
            }
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

    private func writeChunk() {
        attempt { file throws(TraceWriteError) in try file.append(chunk) }
        chunk.removeAll()
    }

    /// After a failure nothing is written any more, and what comes counts as dropped.
    private func flush() {
        guard unflushedCount > 0 else { return }
        writeChunk()
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
