/// Reads the memory events of a Chrome trace (JSON), as PyTorch's profiler writes it with `profile_memory=True`.
///
/// The JSON is streamed: beside the memory events, memory use does not depend on the file. The events need not be in
/// order of time; they are put in order, those of the same time as they stand in the file. What is no legal history
/// then (frees that are missing, frees of older blocks) is for ``AllocationTraceBuilder`` to repair and count.
struct ChromeTraceReader: ~Copyable {
    /// More names are not kept: no process has as many threads at a time.
    private static let maximumThreadNames = AllocationTraceBuilder.maximumThreads

    private struct ThreadKey: Hashable {
        let process: UInt64
        let thread: UInt64
    }

    private let deviceType: Int64
    private var history: UnorderedHistory
    private var irregularities = TraceIrregularities()
    private var threadNames: [ThreadKey: String] = [:]
    /// The process of the first memory event.
    private var process: UInt64?
    private var baseNanoseconds: Int64?
    private var otherEvents = 0
    private var hasEvents = false

    /// Reads to the end of the input, which is left where a problem is.
    static func read(
        from scanner: inout JSONScanner, deviceType: Int, into builder: inout AllocationTraceBuilder,
        eventCount: inout Int
    ) throws(TraceReadError.Problem) {
        var reader = ChromeTraceReader(deviceType: deviceType, maximumEvents: builder.maximumEvents)
        do throws(JSONScanner.Stop) {
            try reader.document(&scanner)
        } catch {
            eventCount = reader.history.count
            switch error {
            case .problem(let problem): throw problem
            case .endOfInput:
                guard reader.hasEvents else {
                    throw .malformed(expected: "an array traceEvents", found: "the end of the file")
                }
                reader.irregularities.isTruncated = true
            }
        }
        eventCount = reader.history.count
        try reader.finish(isTruncated: scanner.input.isTruncated, into: &builder)
    }

    private init(deviceType: Int, maximumEvents: Int) {
        self.deviceType = Int64(deviceType)
        history = UnorderedHistory(maximumEvents: maximumEvents)
    }

    private mutating func document(_ scanner: inout JSONScanner) throws(JSONScanner.Stop) {
        if try scanner.take(UInt8(ascii: "[")) {
            hasEvents = true
            // The format allows that the closing bracket is missing.
            try events(&scanner, mayEndEarly: true)
        } else {
            try scanner.expect(UInt8(ascii: "{"), "an object or an array of events")
            try members(&scanner)
        }
        if try scanner.peek() != nil { throw scanner.problem(expected: "the end of the file") }
    }

    private mutating func members(_ scanner: inout JSONScanner) throws(JSONScanner.Stop) {
        while try !scanner.take(UInt8(ascii: "}")) {
            let key = try scanner.string()
            let isEvents = scanner.isEqual(key, to: "traceEvents")
            let isBase = scanner.isEqual(key, to: "baseTimeNanoseconds")
            try scanner.expect(UInt8(ascii: ":"), "a colon")
            if isEvents {
                try scanner.expect(UInt8(ascii: "["), "an array of events")
                hasEvents = true
                try events(&scanner, mayEndEarly: false)
            } else if isBase {
                baseNanoseconds = try scanner.number()
            } else {
                try scanner.skipValue()
            }
            if try !scanner.take(UInt8(ascii: ",")), try scanner.peek() != UInt8(ascii: "}") {
                throw try scanner.endOr(problemExpecting: "a comma or the end of the object")
            }
        }
        guard hasEvents else {
            throw .problem(.malformed(expected: "an array traceEvents", found: "an object without"))
        }
    }

    private mutating func events(_ scanner: inout JSONScanner, mayEndEarly: Bool) throws(JSONScanner.Stop) {
        while try !scanner.take(UInt8(ascii: "]")) {
            if try scanner.take(UInt8(ascii: "{")) {
                let event = try scanner.event()
                do throws(AllocationTraceBuilder.LimitExceeded) {
                    try take(event)
                } catch {
                    throw .problem(.limitExceeded(error))
                }
            } else if mayEndEarly, try scanner.peek() == nil {
                return
            } else {
                try scanner.skipValue()
            }
            if try !scanner.take(UInt8(ascii: ",")), try scanner.peek() != UInt8(ascii: "]") {
                if mayEndEarly, try scanner.peek() == nil { return }
                throw try scanner.endOr(problemExpecting: "a comma or the end of the events")
            }
        }
    }

    private mutating func take(_ event: ChromeEvent) throws(AllocationTraceBuilder.LimitExceeded) {
        if event.isMetadata {
            take(nameOf: event)
            return
        }
        guard event.isInstant, event.name == .memory else {
            otherEvents += 1
            return
        }
        guard event.deviceType == deviceType else {
            irregularities.otherDeviceEvents += 1
            return
        }
        guard process == nil || process == event.process else {
            irregularities.otherProcessEvents += 1
            return
        }
        guard let time = event.time, let byteCount = event.byteCount, byteCount > .min, let address = event.address
        else {
            irregularities.incompleteEvents += 1
            return
        }
        process = event.process
        if let text = event.threadText { name(event.process, event.thread, text) }
        try history.append(
            RecordedEvent(
                kind: byteCount < 0 ? .free : .allocate, address: address, byteCount: Int(byteCount.magnitude),
                thread: event.thread, time: time, tensorID: event.tensorID))
    }

    private mutating func take(nameOf event: ChromeEvent) {
        guard event.name == .threadName, let name = event.nameArgument else { return }
        self.name(event.process, event.thread, name)
    }

    private mutating func name(_ process: UInt64, _ thread: UInt64, _ name: [UInt8]) {
        let key = ThreadKey(process: process, thread: thread)
        guard threadNames.count < Self.maximumThreadNames || threadNames[key] != nil else { return }
        threadNames[key] = String(decoding: name, as: UTF8.self)
    }

    private consuming func finish(
        isTruncated: Bool, into builder: inout AllocationTraceBuilder
    ) throws(TraceReadError.Problem) {
        if isTruncated { irregularities.isTruncated = true }
        if history.count == 0, !irregularities.isTruncated {
            throw .malformed(
                expected: "memory events of device type \(deviceType) (PyTorch records those of the CPU, type 0, with "
                    + "profile_memory=True)",
                found: "\(otherEvents) other events, \(irregularities.otherDeviceEvents) memory events of other "
                    + "devices, and \(irregularities.incompleteEvents) incomplete ones")
        }
        for (key, name) in threadNames where key.process == process { builder.threadNames[key.thread] = name }
        builder.irregularities = irregularities
        if let baseNanoseconds {
            builder.epoch = .unix
            builder.baseNanoseconds = baseNanoseconds
        }
        do throws(AllocationTraceBuilder.LimitExceeded) {
            try history.feed(to: &builder)
        } catch {
            throw .limitExceeded(error)
        }
    }
}
