public import CMeasurement

extension TraceReplay where Element: ~Copyable {
    /// Rounds in which each event is timed by itself.
    @inlinable func runLatencyRounds(_ rounds: Int, on source: borrowing Element.Source) {
        guard rounds > 0 else { return }
        let pending = unsafe ownMemory(UInt64.self, count: Int(trace.header.slot_count))
        let capacity = unsafe Int64(rounds) * trace.header.event_count
        var allocations = unsafe tpb_make_samples(capacity)
        var frees = unsafe tpb_make_samples(capacity)
        var pairs = unsafe tpb_make_samples(capacity)
        let overhead = tpb_ticks_overhead()
        for _ in 0..<rounds {
            for index in unsafe 0..<Int(trace.header.event_count) {
                let event = unsafe trace.events[index]
                let slot = unsafe slots + Int(event.slot)
                if event.is_free == 0 {
                    let before = tpb_ticks_before()
                    let block = Element.allocate(Int(event.byte_count), from: source)
                    let ticks = tpb_ticks_after() - before
                    unsafe slot.initialize(to: block)
                    unsafe pending[Int(event.slot)] = ticks
                    unsafe tpb_add_sample(&allocations, ticks)
                } else {
                    let block = unsafe slot.move()
                    let before = tpb_ticks_before()
                    block.free(to: source)
                    let ticks = tpb_ticks_after() - before
                    unsafe tpb_add_sample(&frees, ticks)
                    // Two readings' overhead in the pair; one is taken off when it is printed.
                    let sum = unsafe pending[Int(event.slot)] + ticks
                    unsafe tpb_add_sample(&pairs, sum > overhead ? sum - overhead : 0)
                }
            }
            release(on: source)
        }
        var medians = unsafe tpb_medians(&pairs, Int64(rounds))
        // What Swift printed so far, before C's own buffer.
        flushOutput()
        unsafe tpb_print_samples("allocate", &allocations, overhead)
        unsafe tpb_print_samples("free", &frees, overhead)
        unsafe tpb_print_samples("pair", &pairs, overhead)
        unsafe tpb_print_samples("pair_medians", &medians, overhead)
        flushOutput()
    }
}
