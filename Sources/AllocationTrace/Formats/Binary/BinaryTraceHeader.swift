/// What a binary trace says before its events.
public struct BinaryTraceHeader: Sendable, Equatable {
    /// What the order of events is.
    public enum Order: UInt8, Sendable, CaseIterable {
        /// As they stand in the file.
        case file = 0
        /// By their times; of the same time, as they stand in the file. For producers that write chunks each on its own.
        case time = 1
    }

    /// What the order of events is.
    public var order: Order
    /// What times count from: time 0 in the events is `clock.startNanoseconds` after the epoch.
    public var clock: TraceClock
    /// Where the events were recorded; nil where that is unknown.
    public var machine: TraceMachine?

    /// A header with all that a reader needs.
    public init(order: Order, clock: TraceClock = TraceClock(), machine: TraceMachine? = nil) {
        self.order = order
        self.clock = clock
        self.machine = machine
    }
}

extension BinaryTraceHeader {
    /// Magic, version, length, fields, check sum.
    var encoded: [UInt8] {
        var fields: [UInt8] = []
        func append(_ field: BinaryTrace.HeaderField, _ bytes: [UInt8]) {
            fields.appendVarint(field.rawValue)
            fields.appendVarint(UInt64(bytes.count))
            fields += bytes
        }
        append(.order, .varint(UInt64(order.rawValue)))
        append(.epoch, .varint(Self.number(of: clock.epoch)))
        append(.startNanoseconds, .varint(clock.startNanoseconds.zigzag))
        if let machine {
            append(.operatingSystem, Array(machine.operatingSystem.utf8.prefix(TraceMachine.maximumNameLength)))
            append(.processorCount, .varint(UInt64(max(0, machine.processorCount))))
            append(.pageBytes, .varint(UInt64(max(0, machine.pageBytes))))
            append(.memoryBytes, .varint(UInt64(max(0, machine.memoryBytes))))
        }
        var bytes = BinaryTrace.magic
        bytes.appendLittleEndian(UInt16(BinaryTrace.version))
        bytes.appendLittleEndian(UInt32(fields.count))
        bytes += fields
        bytes.appendLittleEndian(Checksum.crc32(fields.span))
        return bytes
    }

    /// Nil where the fields are damaged. Fields that are unknown here are passed over.
    init?(fields: Span<UInt8>) {
        var order: Order?
        var epoch = TraceClock.Epoch.recording
        var start: Int64 = 0
        var machine = TraceMachine(operatingSystem: "", processorCount: 0, pageBytes: 0, memoryBytes: 0)
        var cursor = VarintCursor()
        while cursor.position < fields.count {
            guard let tag = cursor.next(in: fields), let length = cursor.next(in: fields),
                length <= UInt64(fields.count - cursor.position)
            else { return nil }
            let value = fields.extracting(cursor.position..<(cursor.position + Int(length)))
            cursor.position += Int(length)
            var inner = VarintCursor()
            let number = inner.next(in: value)
            switch BinaryTrace.HeaderField(rawValue: tag) {
            case .order: order = number.flatMap { UInt8(exactly: $0) }.flatMap { Order(rawValue: $0) }
            case .epoch: epoch = number.flatMap { Self.epoch(of: $0) } ?? .recording
            case .startNanoseconds: start = Int64(zigzag: number ?? 0)
            case .operatingSystem: machine.operatingSystem = value.text(limit: TraceMachine.maximumNameLength)
            case .processorCount: machine.processorCount = Int(clamping: number ?? 0)
            case .pageBytes: machine.pageBytes = Int(clamping: number ?? 0)
            case .memoryBytes: machine.memoryBytes = Int(clamping: number ?? 0)
            case nil: break
            }
        }
        guard let order else { return nil }
        self.init(
            order: order, clock: TraceClock(epoch: epoch, startNanoseconds: start),
            machine: machine.processorCount == 0 ? nil : machine)
    }

    private static func number(of epoch: TraceClock.Epoch) -> UInt64 {
        switch epoch {
        case .recording: 0
        case .midnight: 1
        case .unix: 2
        }
    }

    private static func epoch(of number: UInt64) -> TraceClock.Epoch? {
        TraceClock.Epoch.allCases.first { Self.number(of: $0) == number }
    }
}
