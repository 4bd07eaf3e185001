@testable import AllocationTrace
import Testing

@Suite struct BinaryTraceTests {
    private let events: [RecordedEvent] = [
        RecordedEvent(kind: .allocate, address: 0x7fff_ffff_f000, byteCount: 100, thread: 7, time: -50, tensorID: 3),
        RecordedEvent(kind: .allocate, address: .max, byteCount: 1 << 40, thread: .max, time: 10),
        RecordedEvent(kind: .free, address: 0x7fff_ffff_f000, byteCount: nil, thread: .max, time: 10),
        RecordedEvent(kind: .free, address: .max, byteCount: 1 << 40, thread: 7, time: 1 << 61),
        RecordedEvent(kind: .allocate, address: 0, byteCount: 1, thread: 7, time: 1 << 61),
    ]

    private func written(
        order: BinaryTraceHeader.Order = .file, chunks: [[RecordedEvent]], finishes: Bool = true, gzip: Bool = false
    ) throws -> TemporaryFile {
        let file = try TemporaryFile([UInt8](), extension: gzip ? "tptrace.gz" : "tptrace")
        let machine = TraceMachine(operatingSystem: "Test 1", processorCount: 3, pageBytes: 4096, memoryBytes: 1 << 33)
        let clock = TraceClock(epoch: .unix, startNanoseconds: 1_000_000)
        var writer = try BinaryTraceWriter(
            path: file.path, header: BinaryTraceHeader(order: order, clock: clock, machine: machine))
        try writer.append([TraceThread(id: 7, name: "worker ö"), TraceThread(id: 9)])
        for events in chunks {
            var chunk = TraceChunk()
            for event in events { try chunk.expect(event) }
            try writer.append(chunk)
        }
        try writer.flush()
        if finishes { try writer.finish(droppedEvents: 2) }
        return file
    }

    @Test(arguments: [false, true])
    func readsWhatWasWritten(gzip: Bool) throws {
        let file = try written(chunks: [Array(events[..<2]), [], Array(events[2...])], gzip: gzip)
        let read = try TraceFile.read(file.path)
        #expect(read.format == .tptrace)
        #expect(try file.bytes.starts(with: gzip ? [0x1f, 0x8b] : BinaryTrace.magic))
        #expect(
            read.machine
                == TraceMachine(operatingSystem: "Test 1", processorCount: 3, pageBytes: 4096, memoryBytes: 1 << 33))
        let trace = read.trace
        #expect(trace.events.map(\.kind) == [.allocate, .allocate, .free, .free, .allocate])
        #expect(trace.events.map(\.byteCount) == [100, 1 << 40, 100, 1 << 40, 1])
        #expect(trace.addresses == events.map(\.address))
        #expect(trace.times == [0, 60, 60, 50 + 1 << 61, 50 + 1 << 61])
        #expect(trace.clock == TraceClock(epoch: .unix, startNanoseconds: 999_950))
        #expect(trace.threads == [TraceThread(id: 7, name: "worker ö"), TraceThread(id: .max)])
        #expect(trace.tensorIDs == [3, 0, 3, 0, 0])
        #expect(trace.irregularities.droppedEvents == 2)
        #expect(!trace.irregularities.isTruncated)
    }

    /// Readers that know no samples pass over them: see `unknownFieldsAndChunksArePassedOver`.
    @Test func samplesComeBackInOrderOfTime() throws {
        let file = try TemporaryFile([UInt8](), extension: "tptrace")
        var writer = try BinaryTraceWriter(path: file.path, header: BinaryTraceHeader(order: .time))
        func sample(_ time: Int64, _ factor: Int) -> PoolSample {
            PoolSample(time: time, liveBytes: factor, cachedBytes: 2 * factor, reservedBytes: 3 * factor)
        }
        try writer.append([sample(300, 3), sample(100, 1 << 60)])
        var chunk = TraceChunk()
        try chunk.expect(RecordedEvent(kind: .allocate, address: 1, byteCount: 8, thread: 1, time: 150))
        try writer.append(chunk)
        try writer.append([PoolSample]())
        try writer.append([sample(Int64.max, 0), sample(.min, 5)])
        try writer.finish()
        let trace = try TraceFile.read(file.path).trace
        // From the first event on; what is too far from it to say when is left out.
        #expect(trace.samples == [sample(0, 1 << 60), sample(150, 3), sample(.max - 150, 0)])
        #expect(trace.irregularities.isEmpty)
        #expect(try TraceFile.read(file.path, options: .init(details: [])).trace.samples.isEmpty)
        let again = try TemporaryFile([UInt8](), extension: "tptrace")
        try TraceFile.write(trace, to: again.path, as: .tptrace)
        #expect(try TraceFile.read(again.path).trace.samples == trace.samples)
    }

    @Test func damagedSamplesAreCounted() throws {
        let file = try written(chunks: [Array(events[..<2])])
        // A step, and then no figures.
        let bytes = try file.bytes + TraceChunk.encoded(.samples, payload: [2, 1, 1, 1, 2])
        try file.replace(bytes)
        let trace = try TraceFile.read(file.path).trace
        #expect(trace.samples.count == 1)
        #expect(trace.irregularities.damagedChunks == 1)
    }

    @Test func samplesAreBounded() {
        var samples = PoolSamples()
        let count = 3 * PoolSamples.maximumCount
        for time in 0..<count {
            samples.append(PoolSample(time: Int64(time), liveBytes: time, cachedBytes: 0, reservedBytes: 0))
        }
        let kept = samples.from(0)
        #expect(kept.count <= PoolSamples.maximumCount && kept.count > PoolSamples.maximumCount / 2)
        #expect(kept.first?.time == 0 && kept.last?.time == Int64(count - 1))
        #expect(zip(kept, kept.dropFirst()).allSatisfy { $0.time < $1.time })
    }

    /// Each producer's chunks are in order, and the file has them as they were handed over.
    @Test func mergesProducersByTime() throws {
        func event(
            _ time: Int64, _ address: UInt64, thread: UInt64, _ kind: TraceEvent.Kind = .allocate
        ) -> RecordedEvent {
            RecordedEvent(kind: kind, address: address, byteCount: 8, thread: thread, time: time)
        }
        let file = try written(
            order: .time,
            chunks: [
                [event(20, 2, thread: 2, .free), event(30, 2, thread: 2)],
                [event(10, 1, thread: 1), event(10, 2, thread: 1), event(25, 1, thread: 1, .free)],
            ])
        let trace = try TraceFile.read(file.path).trace
        #expect(trace.addresses == [1, 2, 2, 1, 2])
        #expect(trace.times == [0, 0, 10, 15, 20])
        #expect(trace.irregularities.reorderedEvents == 3)
        #expect(trace.irregularities.unmatchedFrees == 0)
        #expect(trace.summary.crossThreadFreeCount == 1)
    }

    @Test(arguments: BinaryTraceHeader.Order.allCases)
    func impossibleSizesAreErrors(order: BinaryTraceHeader.Order) throws {
        let event = RecordedEvent(kind: .allocate, address: 1, byteCount: .max, thread: 1, time: 1)
        let file = try written(order: order, chunks: [[event]])
        let error = try #require(throws: TraceReadError.self) { try TraceFile.read(file.path) }
        #expect(error.problem == .limitExceeded(.liveBytes(limit: AllocationTraceBuilder.maximumLiveBytes)))
    }

    @Test func aFullChunkTakesNoMore() throws {
        var chunk = TraceChunk(capacity: 200)
        var count = 0
        while chunk.append(events[count % events.count]) { count += 1 }
        #expect(chunk.eventCount == count)
        #expect(count > 5)
        #expect(chunk.encoded.count <= 200 + BinaryTrace.chunkPrefixLength)
        chunk.removeAll()
        #expect(chunk.isEmpty)
        try chunk.expect(events[0])
        var untimed = events[0]
        untimed.time = nil
        let isTaken = chunk.append(untimed)
        #expect(!isTaken)
    }

    /// What was flushed before a crash is there.
    @Test func anUnfinishedFileIsRead() throws {
        let file = try written(chunks: [events], finishes: false)
        let trace = try TraceFile.read(file.path).trace
        #expect(trace.events.count == 5)
        #expect(trace.irregularities.isTruncated)
        #expect(trace.irregularities.damagedChunks == 0)
    }

    @Test func truncationIsSurvivedAnywhere() throws {
        let complete = try written(chunks: events.map { [$0] })
        let bytes = try complete.bytes
        let whole = try TraceFile.read(complete.path).trace.events
        var traces = 0
        for length in 0..<bytes.count {
            let file = try TemporaryFile(bytes[..<length])
            do throws(TraceReadError) {
                let trace = try TraceFile.read(file.path).trace
                #expect(trace.irregularities.isTruncated, "cut to \(length) bytes")
                #expect(trace.irregularities.damagedChunks == 0, "cut to \(length) bytes")
                #expect(whole.starts(with: trace.events))
                traces += 1
            } catch {
                #expect(error.eventCount == 0)
            }
        }
        #expect(traces > 100)
    }

    /// Each chunk is lost alone, whatever byte of it is hit.
    @Test func damageIsCountedAndPassedOver() throws {
        let chunks = (0..<5).map { index in
            [RecordedEvent(kind: .allocate, address: UInt64(index + 1), byteCount: 10 + index, thread: 1, time: 0)]
        }
        let bytes = try written(chunks: chunks).bytes
        let markers = bytes.indices.filter { bytes[$0...].starts(with: BinaryTrace.chunkMarker) }
        try #require(markers.count == 7)
        for position in markers[2]..<markers[3] {
            var damaged = bytes
            damaged[position] ^= 0x40
            let file = try TemporaryFile(damaged)
            let trace = try TraceFile.read(file.path).trace
            #expect(trace.events.map(\.byteCount) == [10, 12, 13, 14], "byte \(position)")
            #expect(trace.irregularities.damagedChunks == 1, "byte \(position)")
            #expect(!trace.irregularities.isTruncated)
        }
    }

    @Test func trailingBytesAreDamage() throws {
        let bytes = try written(chunks: [events]).bytes
        for tail in [[UInt8(0)], BinaryTrace.chunkMarker, [UInt8](repeating: 7, count: 500_000)] {
            let file = try TemporaryFile(bytes + tail)
            let trace = try TraceFile.read(file.path).trace
            #expect(trace.events.count == 5)
            #expect(trace.irregularities.damagedChunks == 1)
        }
    }

    @Test func anotherVersionIsAnErrorThatNamesIt() throws {
        var bytes = try written(chunks: [events]).bytes
        bytes[8] = 9
        let file = try TemporaryFile(bytes)
        let error = try #require(throws: TraceReadError.self) { try TraceFile.read(file.path) }
        #expect(error.problem == .unsupportedVersion(found: 9, newestKnown: 1))
        #expect(error.description.contains("a binary trace of version 9, and the newest known here is 1"))
    }

    @Test func damagedHeadersAreErrors() throws {
        let bytes = try written(chunks: [events]).bytes
        for (position, value) in [(5, UInt8(0)), (12, 0xff), (14, 0x55), (20, 0x99)] {
            var damaged = bytes
            damaged[position] = value
            let file = try TemporaryFile(damaged)
            let error = try #require(throws: TraceReadError.self) { try TraceFile.read(file.path) }
            guard case .malformed = error.problem else {
                Issue.record("byte \(position): \(error)")
                continue
            }
        }
    }

    /// A file of a later minor version: header fields and chunks that are unknown here.
    @Test func unknownFieldsAndChunksArePassedOver() throws {
        var fields: [UInt8] = [1, 1, 0, 99, 3, 1, 2, 3]
        var bytes = BinaryTrace.magic
        bytes.appendLittleEndian(UInt16(1))
        bytes.appendLittleEndian(UInt32(fields.count))
        bytes += fields
        bytes.appendLittleEndian(Checksum.crc32(fields.span))
        fields = TraceChunk.encoded(.events, payload: [0, 5, 0, 20, 8])
        var unknown = fields
        unknown[4] = 77
        unknown.replaceSubrange(9..<13, with: [0, 0, 0, 0])
        var sum: [UInt8] = []
        let summed = Array(unknown[4..<9] + unknown[13...])
        sum.appendLittleEndian(Checksum.crc32(summed.span))
        unknown.replaceSubrange(9..<13, with: sum)
        let file = try TemporaryFile(bytes + unknown + fields + TraceChunk.encoded(.end, payload: [1, 0]))
        let trace = try TraceFile.read(file.path).trace
        #expect(trace.events.map(\.byteCount) == [8])
        #expect(trace.addresses == [10])
        #expect(trace.threads == [TraceThread(id: 5)])
        #expect(trace.irregularities.isEmpty)
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64(Int64.max), .max])
    func varintsComeBack(value: UInt64) {
        let bytes = [UInt8].varint(value)
        #expect(decoded(bytes).map { $0.value } == value)
        #expect(decoded(bytes)?.length == bytes.count)
        #expect(decoded(bytes.dropLast()) == nil)
        #expect(Int64(zigzag: Int64(bitPattern: value).zigzag) == Int64(bitPattern: value))
    }

    @Test func overlongVarintsAreNone() {
        #expect(decoded([UInt8](repeating: 0xff, count: 9) + [2]) == nil)
    }

    private func decoded(_ bytes: [UInt8]) -> (value: UInt64, length: Int)? {
        var cursor = VarintCursor()
        return cursor.next(in: bytes.span).map { ($0, cursor.position) }
    }

    @Test func describesThisMachine() {
        let machine = TraceMachine.current
        #expect(machine.processorCount > 0)
        #expect(machine.pageBytes >= 4096)
        #expect(machine.memoryBytes > machine.pageBytes)
        #expect(!machine.operatingSystem.isEmpty)
    }
}

extension TraceChunk {
    /// Adds an event for which there has to be room.
    mutating func expect(_ event: RecordedEvent) throws {
        let isTaken = append(event)
        try #require(isTaken)
    }
}
