import AllocationTrace

/// How long a trace takes on an allocator, foretold from a look at it, in processor time.
struct ReplayLook: Equatable {
    /// An allocator does its own work in less.
    private static let mostNanosecondsOfUntouchedEvent = 500.0

    /// Nanoseconds an event of a whole round that is not the first.
    let nanosecondsPerEvent: Double
    /// Nanoseconds of a process beside that: what it needs to start and to read, and what its first round has more.
    let nanosecondsPerProcess: Double
    /// Events of the first time through, or of as much of it as there was time for.
    let eventsSeen: Int

    /// - Parameters:
    ///   - passes: two times through the trace, or through a sample of it, from its beginning.
    ///   - trace: what the passes were through; nil where that was a sample.
    ///   - processorNanoseconds: of the whole look.
    init(_ passes: [ReplayWarmUp], of trace: AllocationTrace?, touch: Touch, processorNanoseconds: Int) {
        let (first, last) = (passes.first, passes.last)
        let warm = last.map { Double($0.processorNanoseconds) } ?? 0
        let warmEvents = Double(max(1, last?.eventCount ?? 0))
        eventsSeen = first?.eventCount ?? 0
        let byEvents = warm / warmEvents
        let bytes =
            trace?.events.prefix(last?.eventCount ?? 0).reduce(0.0) {
                $0 + ($1.kind == .allocate ? Double($1.byteCount) : 0)
            } ?? 0
        if let trace, touch != .none, bytes > 0, byEvents > Self.mostNanosecondsOfUntouchedEvent {
            // What an event takes beyond that goes by the bytes that are touched.
            let perByte = (byEvents - Self.mostNanosecondsOfUntouchedEvent) * warmEvents / bytes
            let bytesPerEvent = Double(trace.summary.allocatedBytes) / Double(max(1, trace.events.count))
            nanosecondsPerEvent = Self.mostNanosecondsOfUntouchedEvent + perByte * bytesPerEvent
        } else {
            nanosecondsPerEvent = byEvents
        }
        let spent = passes.reduce(0.0) { $0 + Double($1.processorNanoseconds) }
        let firstExtra = first.map { Double($0.processorNanoseconds) - byEvents * Double($0.eventCount) } ?? 0
        nanosecondsPerProcess = max(0, Double(processorNanoseconds) - spent) + max(0, firstExtra)
    }
}

extension ReplayEffort.Cost {
    /// Of allocators that replay the same events.
    init(_ looks: [ReplayLook], isOwn: Bool) {
        // The pool that is suggested is one more.
        let count = isOwn ? looks.count + 1 : looks.count
        let scale = Double(count) / Double(max(1, looks.count))
        self.init(
            nanosecondsPerEvent: looks.reduce(0) { $0 + $1.nanosecondsPerEvent } * scale,
            nanosecondsPerProcess: looks.reduce(0) { $0 + $1.nanosecondsPerProcess } * scale, allocators: count,
            isOwn: isOwn)
    }
}
