/// Events on their way into a binary trace: encoded as they come, in memory of fixed size.
///
/// A recorder gives each producer a chunk of its own, and hands full ones to the ``BinaryTraceWriter``. Each chunk can
/// be read without the others. Thread-safety: none. Cost: some nanoseconds an event, no allocation.
public struct TraceChunk: Sendable {
    /// More than any one event takes.
    private static let maximumEventLength = 64

    private let capacity: Int
    /// The encoded events.
    private(set) var payload: [UInt8]
    /// The events in it.
    public private(set) var eventCount = 0
    private var thread: UInt64 = 0
    private var time: Int64 = 0
    private var address: UInt64 = 0
    private var isTimed = false

    /// An empty chunk that has room for so many bytes of encoded events, at least 64 and at most 65,536.
    public init(capacity: Int = 1 << 16) {
        self.capacity = min(max(capacity, Self.maximumEventLength), 1 << 16)
        payload = []
        payload.reserveCapacity(self.capacity + Self.maximumEventLength)
    }

    /// Whether there is no event in it.
    public var isEmpty: Bool { eventCount == 0 }

    /// Adds an event.
    /// - Returns: false where it has no room, or where the event has a time and those before it have none or the other
    ///   way round. Then the chunk is as before: write it, empty it, and add the event again.
    public mutating func append(_ event: RecordedEvent) -> Bool {
        if isEmpty {
            begin(event)
        } else if payload.count + Self.maximumEventLength > capacity || isTimed != (event.time != nil) {
            return false
        }
        var flags: BinaryTrace.EventFlags = event.kind == .free ? .isFree : []
        // Differences wrap around, here and in the reader: any two values have one.
        let time = event.time ?? self.time
        if time != self.time { flags.insert(.hasTimeStep) }
        if event.thread != thread { flags.insert(.hasThread) }
        if event.tensorID != 0 { flags.insert(.hasTensorID) }
        if event.byteCount == nil { flags.insert(.hasNoSize) }
        payload.append(flags.rawValue)
        if flags.contains(.hasTimeStep) { payload.appendVarint((time &- self.time).zigzag) }
        if flags.contains(.hasThread) { payload.appendVarint(event.thread) }
        payload.appendVarint(Int64(bitPattern: event.address &- address).zigzag)
        if let byteCount = event.byteCount { payload.appendVarint(UInt64(max(0, byteCount))) }
        if flags.contains(.hasTensorID) { payload.appendVarint(event.tensorID) }
        self.time = time
        thread = event.thread
        address = event.address
        eventCount += 1
        return true
    }

    /// Takes all events out, and keeps the memory.
    public mutating func removeAll() {
        payload.removeAll(keepingCapacity: true)
        eventCount = 0
    }

    private mutating func begin(_ event: RecordedEvent) {
        payload.removeAll(keepingCapacity: true)
        thread = event.thread
        time = event.time ?? 0
        address = 0
        isTimed = event.time != nil
        payload.append(isTimed ? 1 : 0)
        payload.appendVarint(thread)
        if isTimed { payload.appendVarint(time.zigzag) }
    }

    /// The chunk as it stands in a file.
    var encoded: [UInt8] {
        Self.encoded(.events, payload: payload)
    }

    static func encoded(_ kind: BinaryTrace.ChunkKind, payload: [UInt8]) -> [UInt8] {
        var head = [kind.rawValue]
        head.appendLittleEndian(UInt32(payload.count))
        var bytes = BinaryTrace.chunkMarker
        bytes.reserveCapacity(BinaryTrace.chunkPrefixLength + payload.count)
        bytes += head
        bytes.appendLittleEndian(Checksum.crc32(payload.span, continuing: Checksum.crc32(head.span)))
        bytes += payload
        return bytes
    }
}
