public import CMeasurement

/// Replays a prepared trace round after round, as the C worker does.
///
/// Safe: the trace is a legal history, so a slot holds a block exactly when an event says so.
@safe public struct TraceReplay<Element: Block & ~Copyable> {
    @usableFromInline let trace: tpb_trace
    @usableFromInline let slots: UnsafeMutablePointer<Element>
    @usableFromInline let touches: Bool

    /// A replay of a prepared trace file.
    public init(path: String, touches: Bool) {
        unsafe trace = unsafe tpb_open_trace(path)
        unsafe slots = unsafe ownMemory(Element.self, count: Int(trace.header.slot_count))
        self.touches = touches
    }

    /// Makes the source, replays, and prints what it took. `finish` may print more, before single events are timed.
    @inlinable public func run(
        rounds: Int, budgetNanoseconds: Int64, latencyRounds: Int, making makeSource: () -> Element.Source,
        finish: (borrowing Element.Source) -> Void = { _ in }
    ) {
        let isReset = tpb_reset_resident_peak()
        let residentBefore = tpb_resident_bytes()
        let start = RoundStart()
        let source = makeSource()
        let construction = start.finish()
        let first = runRound(on: source)
        print("construction \(construction)\nfirst \(first)")

        let warmStart = tpb_nanoseconds()
        for _ in 0..<rounds {
            print("round \(runRound(on: source))")
            if tpb_nanoseconds() - warmStart > budgetNanoseconds { break }
        }
        print("resident_before \(residentBefore)\nresident_peak \(tpb_resident_peak_bytes())")
        print("peak_is_reset \(isReset ? 1 : 0)")
        finish(source)
        runLatencyRounds(latencyRounds, on: source)
    }

    @inlinable func runRound(on source: borrowing Element.Source) -> String {
        let start = RoundStart()
        if touches {
            runTouchingEvents(on: source)
        } else {
            runEvents(on: source)
        }
        let taken = start.finish()
        release(on: source)
        return taken
    }

    @inlinable @inline(never) func runEvents(on source: borrowing Element.Source) {
        let events = unsafe trace.events
        let slots = unsafe slots
        let count = unsafe Int(trace.header.event_count)
        var index = 0
        while index < count {
            let event = unsafe events[index]
            let slot = unsafe slots + Int(event.slot)
            if event.is_free == 0 {
                unsafe slot.initialize(to: Element.allocate(Int(event.byte_count), from: source))
            } else {
                unsafe slot.move().free(to: source)
            }
            index &+= 1
        }
    }

    @inlinable @inline(never) func runTouchingEvents(on source: borrowing Element.Source) {
        let events = unsafe trace.events
        let slots = unsafe slots
        let count = unsafe Int(trace.header.event_count)
        var index = 0
        while index < count {
            let event = unsafe events[index]
            let slot = unsafe slots + Int(event.slot)
            if event.is_free == 0 {
                let block = Element.allocate(Int(event.byte_count), from: source)
                unsafe tpb_touch_pages(block.address, event.byte_count)
                unsafe slot.initialize(to: block)
            } else {
                unsafe slot.move().free(to: source)
            }
            index &+= 1
        }
    }

    /// Frees what the trace leaves alive.
    @inlinable func release(on source: borrowing Element.Source) {
        for index in unsafe 0..<Int(trace.header.release_count) {
            unsafe (slots + Int(trace.releases[index].slot)).move().free(to: source)
        }
    }
}

/// The state of clocks and page faults before a round.
@usableFromInline struct RoundStart {
    private let faults: Int64
    private let processor: Int64
    private let wall: Int64

    @usableFromInline init() {
        faults = tpb_minor_faults()
        processor = tpb_processor_nanoseconds()
        wall = tpb_nanoseconds()
    }

    /// What the round took by both clocks, and its page faults, as a worker prints them.
    @usableFromInline func finish() -> String {
        let wall = tpb_nanoseconds() - wall
        let processor = tpb_processor_nanoseconds() - processor
        return "\(wall) \(processor) \(tpb_minor_faults() - faults)"
    }
}
