/// The events of a chunk, one after the other.
struct TraceChunkDecoder {
    private var cursor = VarintCursor()
    private var thread: UInt64 = 0
    private var time: Int64?
    private var address: UInt64 = 0
    /// Whether the bytes are not what ``TraceChunk`` writes, check sum or not.
    private(set) var isDamaged = false

    init(_ payload: Span<UInt8>) {
        guard !payload.isEmpty, payload[0] <= 1 else {
            isDamaged = true
            return
        }
        cursor.position = 1
        guard let thread = cursor.next(in: payload) else {
            isDamaged = true
            return
        }
        self.thread = thread
        if payload[0] == 1 {
            guard let base = cursor.next(in: payload) else {
                isDamaged = true
                return
            }
            time = Int64(zigzag: base)
        }
    }

    /// The next event; nil after the last, and where the bytes are damaged.
    mutating func next(in payload: Span<UInt8>) -> RecordedEvent? {
        guard !isDamaged, cursor.position < payload.count else { return nil }
        let flags = BinaryTrace.EventFlags(rawValue: payload[cursor.position])
        cursor.position += 1
        guard flags.isSubset(of: .known), let event = event(flags, payload) else {
            isDamaged = true
            return nil
        }
        return event
    }

    private mutating func event(_ flags: BinaryTrace.EventFlags, _ payload: Span<UInt8>) -> RecordedEvent? {
        if flags.contains(.hasTimeStep) {
            guard let step = cursor.next(in: payload), let before = time else { return nil }
            time = before &+ Int64(zigzag: step)
        }
        if flags.contains(.hasThread) {
            guard let thread = cursor.next(in: payload) else { return nil }
            self.thread = thread
        }
        guard let step = cursor.next(in: payload) else { return nil }
        address = address &+ UInt64(bitPattern: Int64(zigzag: step))
        var byteCount: Int?
        if !flags.contains(.hasNoSize) {
            guard let size = cursor.next(in: payload), let exact = Int(exactly: size) else { return nil }
            byteCount = exact
        }
        var tensorID: UInt64 = 0
        if flags.contains(.hasTensorID) {
            guard let id = cursor.next(in: payload) else { return nil }
            tensorID = id
        }
        return RecordedEvent(
            kind: flags.contains(.isFree) ? .free : .allocate, address: address, byteCount: byteCount, thread: thread,
            time: time, tensorID: tensorID)
    }
}
