/// Writes a binary trace, chunk by chunk. What was flushed can be read after a crash.
///
/// Thread-safety: none. Producers fill ``TraceChunk``s on their own threads; one at a time hands one over here.
public struct BinaryTraceWriter: ~Copyable {
    private var output: TraceOutput
    private var eventCount = 0

    /// Starts a file, gzip where the path ends in `.gz`, or standard output where it is `-`.
    /// - Parameter atomically: whether the file appears under its name only when it is complete. Not for a recorder,
    ///   whose file is to be there after a crash.
    public init(path: String, header: BinaryTraceHeader, atomically: Bool = false) throws(TraceWriteError) {
        var output = try TraceOutput(path: path, atomically: atomically)
        try output.write(header.encoded)
        self.output = output
    }

    /// Writes the chunk's events. An empty one writes nothing.
    public mutating func append(_ chunk: borrowing TraceChunk) throws(TraceWriteError) {
        guard !chunk.isEmpty else { return }
        try output.write(chunk.encoded)
        eventCount += chunk.eventCount
    }

    /// Writes names of threads. Those without a name need not be written. At any moment, as often as wanted.
    public mutating func append(_ threads: [TraceThread]) throws(TraceWriteError) {
        var payload: [UInt8] = []
        for thread in threads {
            guard let name = thread.name else { continue }
            let bytes = name.utf8.prefix(1024)
            payload.appendVarint(thread.id)
            payload.appendVarint(UInt64(bytes.count))
            payload += bytes
            if payload.count > BinaryTrace.maximumChunkLength - 2048 {
                try output.write(TraceChunk.encoded(.threads, payload: payload))
                payload = []
            }
        }
        if !payload.isEmpty { try output.write(TraceChunk.encoded(.threads, payload: payload)) }
    }

    /// Writes samples of the pool, at times from the same moment as the events'. At any moment, as often as wanted.
    public mutating func append(_ samples: [PoolSample]) throws(TraceWriteError) {
        var payload: [UInt8] = []
        var time: Int64 = 0
        for sample in samples {
            payload.appendVarint((sample.time &- time).zigzag)
            for count in [sample.liveBytes, sample.cachedBytes, sample.reservedBytes] {
                payload.appendVarint(UInt64(max(0, count)))
            }
            time = sample.time
            if payload.count > BinaryTrace.maximumChunkLength - 64 {
                try output.write(TraceChunk.encoded(.samples, payload: payload))
                payload = []
                time = 0
            }
        }
        if !payload.isEmpty { try output.write(TraceChunk.encoded(.samples, payload: payload)) }
    }

    /// Hands what was written to the system.
    public mutating func flush() throws(TraceWriteError) {
        try output.flush()
    }

    /// Writes the closing mark and closes the file.
    /// - Parameter droppedEvents: how many events the recorder could not keep.
    public consuming func finish(droppedEvents: Int = 0) throws(TraceWriteError) {
        var payload: [UInt8] = []
        payload.appendVarint(UInt64(eventCount))
        payload.appendVarint(UInt64(max(0, droppedEvents)))
        try output.write(TraceChunk.encoded(.end, payload: payload))
        try output.finish()
    }
}

extension BinaryTraceWriter {
    /// Writes a whole trace.
    static func write(
        _ trace: AllocationTrace, to path: String, machine: TraceMachine?, report: ((Int) -> Void)?
    ) throws(TraceWriteError) {
        let header = BinaryTraceHeader(order: .file, clock: trace.clock, machine: machine)
        var writer = try BinaryTraceWriter(path: path, header: header, atomically: true)
        try writer.append(trace.threads)
        var chunk = TraceChunk()
        let source = RecordedEvents(trace)
        for index in trace.events.indices {
            let event = source[index]
            if !chunk.append(event) {
                try writer.append(chunk)
                chunk.removeAll()
                _ = chunk.append(event)
                report?(index)
            }
        }
        try writer.append(chunk)
        try writer.append(trace.samples)
        try writer.finish(droppedEvents: trace.irregularities.droppedEvents)
    }
}
