/// What a trace reader has to know of one event of a Chrome trace.
struct ChromeEvent {
    enum Name {
        case memory
        case threadName
        case other
    }

    var name = Name.other
    /// The event's phase; 0 until it is known.
    var phase: UInt8 = 0
    var process: UInt64 = 0
    var thread: UInt64 = 0
    /// The thread's text, where it has no number.
    var threadText: [UInt8]?
    /// In nanoseconds.
    var time: Int64?
    /// Below 0 for a free.
    var byteCount: Int64?
    var address: UInt64?
    /// 0, the CPU, where the event does not say.
    var deviceType: Int64 = 0
    var tensorID: UInt64 = 0
    /// What a metadata event gives as a name.
    var nameArgument: [UInt8]?

    /// An instant event, as `i` and as it was written before.
    var isInstant: Bool { phase == UInt8(ascii: "i") || phase == UInt8(ascii: "I") }
    var isMetadata: Bool { phase == UInt8(ascii: "M") }
    /// Whether nothing that may still follow in the event can matter.
    var isIrrelevant: Bool { phase != 0 && !isInstant && !isMetadata }
}

extension JSONScanner {
    /// Takes an event whose opening brace has been taken.
    mutating func event() throws(Stop) -> ChromeEvent {
        var event = ChromeEvent()
        while try !take(UInt8(ascii: "}")) {
            if event.isIrrelevant {
                try skipRest(isObject: true)
                return event
            }
            let key = try string()
            let field = EventField(key, in: self)
            try expect(UInt8(ascii: ":"), "a colon")
            try take(field, into: &event)
            if try !take(UInt8(ascii: ",")), try peek() != UInt8(ascii: "}") {
                throw try endOr(problemExpecting: "a comma or the end of the event")
            }
        }
        return event
    }

    private mutating func take(_ field: EventField, into event: inout ChromeEvent) throws(Stop) {
        let first = try peek()
        switch field {
        case .phase where first == UInt8(ascii: "\""):
            let text = try string()
            // Phases have one letter.
            let letters = text.hasEscapes ? unescaped(text)[...] : input.buffer[text.bytes]
            event.phase = letters.count == 1 ? letters[letters.startIndex] : UInt8(ascii: "?")
        case .name where first == UInt8(ascii: "\""):
            let text = try string()
            let isMemory = isEqual(text, to: "[memory]")
            event.name = isMemory ? .memory : isEqual(text, to: "thread_name") ? .threadName : .other
        case .process: event.process = try identifier().id
        case .thread: (event.thread, event.threadText) = try identifier()
        case .time where first != UInt8(ascii: "\""): event.time = try number(scaledByPowerOfTen: 3)
        case .arguments where first == UInt8(ascii: "{"):
            input.take(1)
            try arguments(of: &event)
        default: try skipValue()
        }
    }

    private mutating func arguments(of event: inout ChromeEvent) throws(Stop) {
        while try !take(UInt8(ascii: "}")) {
            let key = try string()
            let field = ArgumentField(key, in: self)
            try expect(UInt8(ascii: ":"), "a colon")
            let isText = try peek() == UInt8(ascii: "\"")
            switch field {
            case .byteCount where !isText: event.byteCount = try number()
            case .address where !isText: event.address = try unsignedNumber()
            case .deviceType where !isText: event.deviceType = try number() ?? -1
            case .tensorID where !isText: event.tensorID = try unsignedNumber() ?? 0
            case .name where isText && event.isMetadata:
                let text = try string()
                event.nameArgument = text.isTooLong ? nil : unescaped(text)
            default: try skipValue()
            }
            if try !take(UInt8(ascii: ",")), try peek() != UInt8(ascii: "}") {
                throw try endOr(problemExpecting: "a comma or the end of the arguments")
            }
        }
    }

    /// A process or thread: a number, or a text for which its bytes' hash stands.
    private mutating func identifier() throws(Stop) -> (id: UInt64, text: [UInt8]?) {
        guard try peek() == UInt8(ascii: "\"") else {
            let token = try scalarOrNothing()
            return (token.flatMap { unsigned($0) ?? signed($0).map(UInt64.init(bitPattern:)) } ?? 0, nil)
        }
        let text = try string()
        let bytes = unescaped(text)
        if let number = UInt64(decimal: bytes.span) { return (number, nil) }
        // FNV-1a, the same in every process.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return (hash | 1 << 63, bytes)
    }

    /// Nil for what is no number or does not fit.
    mutating func number(scaledByPowerOfTen power: Int = 0) throws(Stop) -> Int64? {
        try scalarOrNothing().flatMap { signed($0, scaledByPowerOfTen: power) }
    }

    /// Like ``number(scaledByPowerOfTen:)``, up to 2^64 - 1.
    private mutating func unsignedNumber() throws(Stop) -> UInt64? {
        try scalarOrNothing().flatMap { unsigned($0) }
    }

    /// Takes a value; nil where it is an object or an array.
    private mutating func scalarOrNothing() throws(Stop) -> Token? {
        let first = try peek()
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            try skipValue()
            return nil
        }
        let token = try scalar()
        guard !token.bytes.isEmpty else { throw problem(expected: "a value") }
        return token
    }

    private func signed(_ token: Token, scaledByPowerOfTen power: Int = 0) -> Int64? {
        DecimalNumber(parsing: input.buffer.span.extracting(token.bytes))?.value(scaledByPowerOfTen: power)
    }

    private func unsigned(_ token: Token) -> UInt64? {
        UInt64(decimal: input.buffer.span.extracting(token.bytes))
    }

    /// What stops the scan where neither a comma nor a closing bracket comes.
    mutating func endOr(problemExpecting expected: String) throws(Stop) -> Stop {
        try peek() == nil ? .endOfInput : problem(expected: expected)
    }
}

/// The fields of an event that are looked at.
private enum EventField {
    case phase, name, process, thread, time, arguments, other

    init(_ key: JSONScanner.Token, in scanner: borrowing JSONScanner) {
        if scanner.isEqual(key, to: "ph") {
            self = .phase
        } else if scanner.isEqual(key, to: "name") {
            self = .name
        } else if scanner.isEqual(key, to: "pid") {
            self = .process
        } else if scanner.isEqual(key, to: "tid") {
            self = .thread
        } else if scanner.isEqual(key, to: "ts") {
            self = .time
        } else if scanner.isEqual(key, to: "args") {
            self = .arguments
        } else {
            self = .other
        }
    }
}

/// The arguments of an event that are looked at.
private enum ArgumentField {
    case byteCount, address, deviceType, tensorID, name, other

    init(_ key: JSONScanner.Token, in scanner: borrowing JSONScanner) {
        if scanner.isEqual(key, to: "Bytes") {
            self = .byteCount
        } else if scanner.isEqual(key, to: "Addr") {
            self = .address
        } else if scanner.isEqual(key, to: "Device Type") {
            self = .deviceType
        } else if scanner.isEqual(key, to: "Tensor Id") {
            self = .tensorID
        } else if scanner.isEqual(key, to: "name") {
            self = .name
        } else {
            self = .other
        }
    }
}
