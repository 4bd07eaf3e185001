/// Reads the project's own binary format. `Documentation/TraceFormat.md` describes it.
///
/// Damage is survived: reading goes on at the next chunk whose check sum is right.
struct BinaryTraceReader: ~Copyable {
    private let header: BinaryTraceHeader
    /// Nil where the order of the file is the order of events.
    private var history: UnorderedHistory?
    /// Whether the last bytes read were a whole chunk. While they are not, one damaged place is one.
    private var isInStep = true
    private var hasEnd = false

    /// Reads to the end of the input, or of what can be read of it.
    static func read(
        from input: inout TraceInput, into builder: inout AllocationTraceBuilder, eventCount: inout Int
    ) throws(TraceReadError.Problem) -> BinaryTraceHeader {
        let header = try header(from: &input)
        builder.epoch = header.clock.epoch
        builder.baseNanoseconds = header.clock.startNanoseconds
        var reader = BinaryTraceReader(header: header, maximumEvents: builder.maximumEvents)
        defer { eventCount = max(builder.eventCount, reader.history?.count ?? 0) }
        while try reader.nextChunk(of: &input, into: &builder) {}
        if let history = reader.history.take() {
            do throws(AllocationTraceBuilder.LimitExceeded) {
                try history.feed(to: &builder)
            } catch {
                throw .limitExceeded(error)
            }
        }
        if !reader.hasEnd || input.isTruncated { builder.irregularities.isTruncated = true }
        return header
    }

    private init(header: BinaryTraceHeader, maximumEvents: Int) {
        self.header = header
        history = header.order == .time ? UnorderedHistory(maximumEvents: maximumEvents) : nil
    }

    private static func header(from input: inout TraceInput) throws(TraceReadError.Problem) -> BinaryTraceHeader {
        let endOfFile = TraceReadError.Problem.malformed(expected: "a trace's header", found: "the end of the file")
        try input.fill(atLeast: BinaryTrace.prefixLength)
        guard input.unread.count >= BinaryTrace.prefixLength else { throw endOfFile }
        let length = try headerLength(input.unreadSpan)
        let whole = BinaryTrace.prefixLength + length + 4
        try input.fill(atLeast: whole)
        guard input.unread.count >= whole else { throw endOfFile }
        let header = header(in: input.unreadSpan.extracting(BinaryTrace.prefixLength..<whole))
        guard let header else {
            throw .malformed(expected: "a header with the right check sum", found: "a damaged one")
        }
        input.take(whole)
        return header
    }

    private static func headerLength(_ prefix: Span<UInt8>) throws(TraceReadError.Problem) -> Int {
        guard prefix.starts(with: BinaryTrace.magic) else {
            throw .malformed(expected: "the mark of a binary trace", found: prefix.extracting(..<8).quoted())
        }
        let version = Int(prefix.littleEndian(UInt16.self, at: 8))
        guard version == BinaryTrace.version else {
            throw .unsupportedVersion(found: version, newestKnown: BinaryTrace.version)
        }
        let length = Int(prefix.littleEndian(UInt32.self, at: 10))
        guard length <= BinaryTrace.maximumHeaderLength else {
            throw .malformed(
                expected: "a header of at most \(BinaryTrace.maximumHeaderLength) bytes", found: "one of \(length)")
        }
        return length
    }

    /// Nil where the fields are not those that the check sum behind them belongs to.
    private static func header(in bytes: Span<UInt8>) -> BinaryTraceHeader? {
        let fields = bytes.extracting(..<(bytes.count - 4))
        guard bytes.littleEndian(UInt32.self, at: fields.count) == Checksum.crc32(fields) else { return nil }
        return BinaryTraceHeader(fields: fields)
    }

    /// Reads a chunk, or moves on to where the next may start. False at the end.
    private mutating func nextChunk(
        of input: inout TraceInput, into builder: inout AllocationTraceBuilder
    ) throws(TraceReadError.Problem) -> Bool {
        try input.fill(atLeast: BinaryTrace.chunkPrefixLength)
        guard !input.unread.isEmpty else { return false }
        guard let length = try wholeChunkLength(in: &input) else {
            // Cut within its last chunk, a file has no damage. What follows tells: see `resynchronize`.
            try resynchronize(&input, &builder)
            return true
        }
        isInStep = true
        let kind = input.unreadSpan[BinaryTrace.chunkMarker.count]
        let payload = BinaryTrace.chunkPrefixLength..<length
        switch BinaryTrace.ChunkKind(rawValue: kind) {
        case .events:
            do throws(AllocationTraceBuilder.LimitExceeded) {
                try events(input.unreadSpan.extracting(payload), into: &builder)
            } catch {
                throw .limitExceeded(error)
            }
        case .threads: threads(input.unreadSpan.extracting(payload), into: &builder)
        case .samples: samples(input.unreadSpan.extracting(payload), into: &builder)
        case .end: end(input.unreadSpan.extracting(payload), into: &builder)
        // Of a later minor version: whoever writes a kind that must be understood raises the version.
        case nil: break
        }
        input.take(length)
        return true
    }

    /// The length of the chunk that starts at the next byte, prefix included; nil where there is no whole one.
    private func wholeChunkLength(in input: inout TraceInput) throws(TraceReadError.Problem) -> Int? {
        guard let whole = Self.chunkLength(input.unreadSpan) else { return nil }
        try input.fill(atLeast: whole)
        guard input.unread.count >= whole else { return nil }
        return Self.isUndamaged(input.unreadSpan.extracting(..<whole)) ? whole : nil
    }

    private static func chunkLength(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count >= BinaryTrace.chunkPrefixLength, bytes.starts(with: BinaryTrace.chunkMarker) else {
            return nil
        }
        let length = Int(bytes.littleEndian(UInt32.self, at: 5))
        return length <= BinaryTrace.maximumChunkLength ? BinaryTrace.chunkPrefixLength + length : nil
    }

    private static func isUndamaged(_ chunk: Span<UInt8>) -> Bool {
        let head = Checksum.crc32(chunk.extracting(4..<9))
        let payload = chunk.extracting(BinaryTrace.chunkPrefixLength...)
        return chunk.littleEndian(UInt32.self, at: 9) == Checksum.crc32(payload, continuing: head)
    }

    /// Takes at least one byte, and all up to the next mark of a chunk.
    private mutating func resynchronize(
        _ input: inout TraceInput, _ builder: inout AllocationTraceBuilder
    ) throws(TraceReadError.Problem) {
        let markerLength = min(input.unread.count, BinaryTrace.chunkMarker.count)
        let startsLikeChunk = input.unreadSpan.starts(with: Array(BinaryTrace.chunkMarker[..<markerLength]))
        input.take(1)
        while true {
            let (position, isFound) = Self.nextMarker(in: input.unreadSpan)
            input.take(position)
            if isFound {
                noteDamage(&builder)
                return
            }
            if try !input.fill() { break }
        }
        input.take(input.unread.count)
        // A beginning of a chunk and then nothing is a file that was cut off: no closing mark says so already.
        if !startsLikeChunk || hasEnd { noteDamage(&builder) }
    }

    /// Where the next mark is, or where the last bytes start that may be the beginning of one.
    private static func nextMarker(in bytes: Span<UInt8>) -> (position: Int, isFound: Bool) {
        let marker = BinaryTrace.chunkMarker
        var position = 0
        while position + marker.count <= bytes.count {
            if bytes[position] == marker[0], bytes.extracting(position...).starts(with: marker) {
                return (position, true)
            }
            position += 1
        }
        return (position, false)
    }

    private mutating func noteDamage(_ builder: inout AllocationTraceBuilder) {
        if isInStep { builder.irregularities.damagedChunks += 1 }
        isInStep = false
    }

    private mutating func events(
        _ payload: Span<UInt8>, into builder: inout AllocationTraceBuilder
    ) throws(AllocationTraceBuilder.LimitExceeded) {
        var decoder = TraceChunkDecoder(payload)
        while let event = decoder.next(in: payload) {
            if history != nil {
                try history?.append(event)
            } else {
                try builder.append(event)
            }
        }
        if decoder.isDamaged { builder.irregularities.damagedChunks += 1 }
    }

    private func threads(_ payload: Span<UInt8>, into builder: inout AllocationTraceBuilder) {
        var cursor = VarintCursor()
        while cursor.position < payload.count {
            guard let id = cursor.next(in: payload), let length = cursor.next(in: payload),
                length <= UInt64(payload.count - cursor.position)
            else {
                builder.irregularities.damagedChunks += 1
                return
            }
            let name = payload.extracting(cursor.position..<(cursor.position + Int(length)))
            cursor.position += Int(length)
            let isNew = builder.threadNames[id] == nil
            guard !isNew || builder.threadNames.count < AllocationTraceBuilder.maximumThreads else { return }
            builder.threadNames[id] = name.text(limit: 1024)
        }
    }

    private func samples(_ payload: Span<UInt8>, into builder: inout AllocationTraceBuilder) {
        var cursor = VarintCursor()
        var time: Int64 = 0
        while cursor.position < payload.count {
            guard let step = cursor.next(in: payload), let live = cursor.nextCount(in: payload),
                let cached = cursor.nextCount(in: payload), let reserved = cursor.nextCount(in: payload)
            else {
                builder.irregularities.damagedChunks += 1
                return
            }
            time = time &+ Int64(zigzag: step)
            builder.samples.append(
                PoolSample(time: time, liveBytes: live, cachedBytes: cached, reservedBytes: reserved))
        }
    }

    private mutating func end(_ payload: Span<UInt8>, into builder: inout AllocationTraceBuilder) {
        hasEnd = true
        var cursor = VarintCursor()
        _ = cursor.next(in: payload)
        builder.irregularities.droppedEvents = Int(clamping: cursor.next(in: payload) ?? 0)
    }
}
