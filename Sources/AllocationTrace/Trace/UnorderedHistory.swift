/// Events of a file that does not have them in order of time: kept until all are there, then put in order.
///
/// They are kept as they stand in a binary trace, in runs that are each in order, and merged at the end. Cost: 10 to 20
/// bytes an event, and for one run 72. While they are merged, what a builder has got goes.
struct UnorderedHistory: ~Copyable {
    private let maximumEvents: Int
    private let runLength: Int
    private var runs: [[TraceChunk]] = []
    /// Of the run that is being filled, as they came.
    private var pending: [RecordedEvent] = []
    private var latest = Int64.min
    private(set) var reorderedEvents = 0
    private(set) var count = 0

    /// - Parameter runLength: events of a run: so few that they take little memory as they are, so many that there are
    ///   few runs.
    init(maximumEvents: Int, runLength: Int = 1 << 16) {
        self.maximumEvents = maximumEvents
        self.runLength = runLength
    }

    mutating func append(_ event: RecordedEvent) throws(AllocationTraceBuilder.LimitExceeded) {
        guard count < maximumEvents else { throw .events(limit: maximumEvents) }
        let time = event.time ?? max(latest, 0)
        if time < latest { reorderedEvents += 1 }
        latest = max(latest, time)
        var timed = event
        timed.time = time
        pending.append(timed)
        count += 1
        if pending.count == runLength { closeRun() }
    }

    private mutating func closeRun() {
        // Stable: events of the same time stay as they stand in the file.
        if reorderedEvents > 0 { pending.sort { ($0.time ?? 0) < ($1.time ?? 0) } }
        var chunks: [TraceChunk] = []
        var chunk = TraceChunk()
        for event in pending {
            if chunk.append(event) { continue }
            chunks.append(chunk)
            chunk = TraceChunk()
            _ = chunk.append(event)
        }
        chunks.append(chunk)
        runs.append(chunks)
        pending.removeAll(keepingCapacity: true)
    }

    /// Gives everything to a builder, in order of time.
    consuming func feed(
        to builder: inout AllocationTraceBuilder
    ) throws(AllocationTraceBuilder.LimitExceeded) {
        if !pending.isEmpty { closeRun() }
        pending = []
        builder.reserveCapacity(count)
        builder.irregularities.reorderedEvents += reorderedEvents
        guard reorderedEvents > 0 else {
            runs.reverse()
            while let run = runs.popLast() {
                var reader = TraceRunReader(run)
                while let event = reader.next() { try builder.append(event) }
            }
            return
        }
        var merge = TraceRunMerge(runs)
        // The readers' alone from here on, so that they can let go of it.
        runs = []
        while let event = merge.next() { try builder.append(event) }
    }
}

/// Reads the events of a run, and lets go of what it has read.
private struct TraceRunReader {
    /// What is not read yet, the next one last.
    private var chunks: [TraceChunk]
    private var decoder: TraceChunkDecoder?

    init(_ chunks: [TraceChunk]) {
        self.chunks = chunks.reversed()
    }

    mutating func next() -> RecordedEvent? {
        while let payload = chunks.last?.payload {
            var decoder = self.decoder ?? TraceChunkDecoder(payload.span)
            let event = decoder.next(in: payload.span)
            self.decoder = decoder
            if let event { return event }
            self.decoder = nil
            chunks.removeLast()
        }
        return nil
    }
}

/// Merges runs that are each in order of time; of the same time, the earlier run's come first.
private struct TraceRunMerge {
    private var readers: [TraceRunReader]
    /// A heap of the runs' next events, the earliest first.
    private var heads: [(event: RecordedEvent, run: Int)] = []

    init(_ runs: [[TraceChunk]]) {
        readers = runs.map { TraceRunReader($0) }
        for run in readers.indices {
            guard let event = readers[run].next() else { continue }
            heads.append((event, run))
        }
        for place in heads.indices.reversed() { siftDown(place) }
    }

    mutating func next() -> RecordedEvent? {
        guard let first = heads.first else { return nil }
        if let event = readers[first.run].next() {
            heads[0].event = event
        } else {
            heads.swapAt(0, heads.count - 1)
            heads.removeLast()
        }
        siftDown(0)
        return first.event
    }

    private mutating func siftDown(_ start: Int) {
        var place = start
        while 2 * place + 1 < heads.count {
            var child = 2 * place + 1
            if child + 1 < heads.count, isEarlier(child + 1, child) { child += 1 }
            guard isEarlier(child, place) else { break }
            heads.swapAt(child, place)
            place = child
        }
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        let (one, other) = (heads[left], heads[right])
        return (one.event.time ?? 0, one.run) < (other.event.time ?? 0, other.run)
    }
}
