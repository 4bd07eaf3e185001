/// Events of a file that does not have them in order of time: kept until all are there, then put in order.
///
/// Cost: 32 bytes an event, 40 where tensors have ids.
struct UnorderedHistory: ~Copyable {
    private struct Event {
        let time: Int64
        let address: UInt64
        /// The size of an allocation, or the bitwise complement of a free's; `Int64.min` for a free without one.
        let size: Int64
        let thread: UInt32
        /// The place in the file: events of the same time keep it.
        let sequence: UInt32
    }

    private let maximumEvents: Int
    private var events: [Event] = []
    private var tensorIDs: [UInt64] = []
    private var threads: [UInt64] = []
    private var threadNumbers: [UInt64: UInt32] = [:]
    private var lastThread: (id: UInt64, number: UInt32)?
    private var latest = Int64.min
    private(set) var reorderedEvents = 0

    init(maximumEvents: Int) {
        self.maximumEvents = maximumEvents
    }

    var count: Int { events.count }

    mutating func append(_ event: RecordedEvent) throws(AllocationTraceBuilder.LimitExceeded) {
        guard events.count < maximumEvents else { throw .events(limit: maximumEvents) }
        let time = event.time ?? max(latest, 0)
        if time < latest { reorderedEvents += 1 }
        latest = max(latest, time)
        if event.tensorID != 0 || !tensorIDs.isEmpty {
            if tensorIDs.isEmpty { tensorIDs = [UInt64](repeating: 0, count: events.count) }
            tensorIDs.append(event.tensorID)
        }
        let byteCount = Int64(event.byteCount ?? (event.kind == .free ? .max : 0))
        events.append(
            Event(
                time: time, address: event.address, size: event.kind == .allocate ? byteCount : ~byteCount,
                thread: try number(ofThread: event.thread), sequence: UInt32(events.count)))
    }

    /// Gives everything to a builder, in order of time.
    consuming func feed(
        to builder: inout AllocationTraceBuilder
    ) throws(AllocationTraceBuilder.LimitExceeded) {
        if reorderedEvents > 0 { events.sort { ($0.time, $0.sequence) < ($1.time, $1.sequence) } }
        builder.irregularities.reorderedEvents += reorderedEvents
        for index in events.indices {
            let event = events[index]
            try builder.append(
                RecordedEvent(
                    kind: event.size < 0 ? .free : .allocate, address: event.address,
                    byteCount: event.size == .min ? nil : Int(event.size < 0 ? ~event.size : event.size),
                    thread: threads[Int(event.thread)], time: event.time,
                    tensorID: tensorIDs.isEmpty ? 0 : tensorIDs[Int(event.sequence)]))
        }
    }

    private mutating func number(ofThread thread: UInt64) throws(AllocationTraceBuilder.LimitExceeded) -> UInt32 {
        if let lastThread, lastThread.id == thread { return lastThread.number }
        let number: UInt32
        if let known = threadNumbers[thread] {
            number = known
        } else {
            guard threads.count < AllocationTraceBuilder.maximumThreads else {
                throw .threads(limit: AllocationTraceBuilder.maximumThreads)
            }
            number = UInt32(threads.count)
            threadNumbers[thread] = number
            threads.append(thread)
        }
        lastThread = (thread, number)
        return number
    }
}
