/// An allocation or a free as a recorder saw it.
public struct RecordedEvent: Sendable, Equatable {
    /// Whether memory was allocated or freed.
    public var kind: TraceEvent.Kind
    /// Where the block is.
    public var address: UInt64
    /// The bytes asked for. Nil for a free whose recorder does not know.
    public var byteCount: Int?
    /// The thread's id in the recorded program.
    public var thread: UInt64
    /// In nanoseconds from any moment; nil where it is unknown.
    public var time: Int64?
    /// What the recorder calls the tensor; 0 for none.
    public var tensorID: UInt64

    /// An event with all that is known of it.
    public init(
        kind: TraceEvent.Kind, address: UInt64, byteCount: Int?, thread: UInt64, time: Int64? = nil,
        tensorID: UInt64 = 0
    ) {
        self.kind = kind
        self.address = address
        self.byteCount = byteCount
        self.thread = thread
        self.time = time
        self.tensorID = tensorID
    }
}

extension AllocationTraceBuilder {
    /// Records an event. An allocation without a size counts as one of no bytes.
    public mutating func append(_ event: RecordedEvent) throws(LimitExceeded) {
        switch event.kind {
        case .allocate:
            try allocate(
                address: event.address, byteCount: event.byteCount ?? 0, thread: event.thread, time: event.time,
                tensorID: event.tensorID)
        case .free:
            try free(address: event.address, byteCount: event.byteCount, thread: event.thread, time: event.time)
        }
    }
}
