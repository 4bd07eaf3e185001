public import CMeasurement

/// Replays a prepared trace round after round, as the C worker does.
///
/// Safe: the trace is a legal history, so a slot holds a block exactly when an event says so.
@safe public struct TraceReplay<Element: Block & ~Copyable> {
    @usableFromInline let trace: tpb_trace
    @usableFromInline let slots: UnsafeMutablePointer<Element>
    @usableFromInline let touches: Bool

    public init(path: String, touches: Bool) {
        unsafe trace = unsafe tpb_open_trace(path)
        unsafe slots = unsafe ownMemory(Element.self, count: Int(trace.header.slot_count))
        self.touches = touches
    }

    /// Makes the source, replays, and prints what it took.
    @inlinable public func run(
        rounds: Int, budgetNanoseconds: Int64, latencyRounds: Int, making makeSource: () -> Element.Source
    ) {
        let isReset = tpb_reset_resident_peak()
        let residentBefore = tpb_resident_bytes()
        var faults = tpb_minor_faults()
        let start = tpb_nanoseconds()
        let source = makeSource()
        let construction = tpb_nanoseconds() - start
        let first = runRound(on: source)
        print("construction \(construction)\nfirst \(first) \(tpb_minor_faults() - faults)")

        let warmStart = tpb_nanoseconds()
        for _ in 0..<rounds {
            faults = tpb_minor_faults()
            let taken = runRound(on: source)
            print("round \(taken) \(tpb_minor_faults() - faults)")
            if tpb_nanoseconds() - warmStart > budgetNanoseconds { break }
        }
        print("resident_before \(residentBefore)\nresident_peak \(tpb_resident_peak_bytes())")
        print("peak_is_reset \(isReset ? 1 : 0)")
        runLatencyRounds(latencyRounds, on: source)
    }

    @inlinable func runRound(on source: borrowing Element.Source) -> Int64 {
        let start = tpb_nanoseconds()
        if touches {
            runTouchingEvents(on: source)
        } else {
            runEvents(on: source)
        }
        let taken = tpb_nanoseconds() - start
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
