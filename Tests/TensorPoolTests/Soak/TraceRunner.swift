import AllocationTrace
import Histogram
import PoolModel
import TensorPool

/// Replays a trace on a pool, and checks each tensor's contents when it is freed.
struct TraceRunner: ~Copyable {
    private let trace: AllocationTrace
    private var slots: [(buffer: Owned, pattern: UInt64)?]
    private var position = 0
    private var random: SeededRandom
    private(set) var operations = 0
    private(set) var latencies = Histogram<UInt64>(
        highestTrackableValue: 10_000_000_000, numberOfSignificantValueDigits: .two)

    init(_ trace: AllocationTrace, seed: UInt64) {
        self.trace = trace
        slots = Array(repeating: nil, count: trace.slotCount)
        random = SeededRandom(seed)
    }

    /// Replays so many events, from the start again where the trace ends.
    mutating func run(_ count: Int, on pool: some TensorAllocator) throws {
        for _ in 0..<count {
            if position == trace.events.count {
                try freeAll()
                position = 0
            }
            let event = trace.events[position]
            position += 1
            operations += 1
            let slot = Int(event.slot)
            guard event.kind == .allocate else {
                try free(slot)
                continue
            }
            let pattern = random.next()
            let start = ContinuousClock.now
            let buffer = try pool.own(event.byteCount)
            note(since: start)
            buffer.fill(pattern)
            slots[slot] = (buffer, pattern)
        }
    }

    mutating func freeAll() throws {
        for slot in slots.indices where slots[slot] != nil { try free(slot) }
    }

    private mutating func free(_ slot: Int) throws {
        guard let (buffer, pattern) = slots[slot] else { return }
        if !buffer.holds(pattern) { throw ModelFailure("the contents of \(buffer.byteCount) bytes changed") }
        slots[slot] = nil
        let start = ContinuousClock.now
        _ = consume buffer
        note(since: start)
    }

    private mutating func note(since start: ContinuousClock.Instant) {
        let nanoseconds = UInt64((ContinuousClock.now - start) / .nanoseconds(1))
        latencies.record(min(nanoseconds, 10_000_000_000))
    }
}
