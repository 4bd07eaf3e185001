import AllocationTrace
import TensorPool

/// What a pool held over a replay, where it put each tensor, and what it decided.
///
/// One pass over the trace with the pool's statistics read at ``CurveSamples``. Nothing is written to the memory, and
/// nothing is timed: bytes and addresses do not depend on it. For the adaptive pool two more passes follow before it is asked, so that it has
/// measured what repeats.
struct PoolObservation: Codable, Equatable {
    /// The pool's own account of its bytes, at the same events for every pool.
    struct Curve: Codable, Equatable {
        var events: [Int] = []
        var liveBytes: [Int] = []
        var cachedBytes: [Int] = []
        var reservedBytes: [Int] = []
    }

    /// What the adaptive pool answers when asked about a size.
    struct Decision: Codable, Equatable {
        let byteCount: Int
        let strategy: String
        let rule: String
        let why: String
    }

    let pool: PoolName
    let curve: Curve
    let map: AllocationMap
    let decisions: [Decision]

    private static let passesBeforeAsking = 3

    /// - Parameter sizes: what the adaptive pool is asked about, in bytes.
    static func all(_ trace: AllocationTrace, asking sizes: [Int], progress: Progress) throws -> [PoolObservation] {
        return [
            try observe(TensorMemoryPool.make(isPrewarmed: true), trace, progress),
            try observe(OptimizedTensorMemoryPool.make(isPrewarmed: true), trace, progress),
            try observe(AdaptiveTensorMemoryPool.make(isPrewarmed: true), trace, progress) { pool in
                sizes.map {
                    let decision = pool.explain(byteCount: $0)
                    return Decision(
                        byteCount: $0, strategy: decision.strategy.description, rule: decision.rule.rawValue,
                        why: decision.reason)
                }
            },
        ]
    }

    private static func observe<Pool: MeasuredPool>(
        _ pool: Pool, _ trace: AllocationTrace, _ progress: Progress, decisions: ((Pool) -> [Decision])? = nil
    ) throws -> PoolObservation {
        var curve = Curve()
        // How many events come before each.
        var samples = CurveSamples.events(of: trace)[...]
        var map = AllocationMap.Collector(slotCount: trace.slotCount)
        var handles = [MemoryHandle?](repeating: nil, count: trace.slotCount)
        func sample(after count: Int) {
            guard samples.first == count else { return }
            samples.removeFirst()
            let figures = pool.statistics()
            curve.events.append(count)
            curve.liveBytes.append(figures.liveBytes)
            curve.cachedBytes.append(figures.cachedBytes + figures.prewarmedBytes)
            curve.reservedBytes.append(figures.reservedBytes)
        }
        let passes = decisions == nil ? 1 : passesBeforeAsking
        for pass in 0..<passes {
            sample(after: 0)
            for index in trace.events.indices {
                if index & 0xffff == 0 {
                    progress.show(
                        "observing the \(Pool.name.rawValue) pool", pass * trace.events.count + index,
                        of: passes * trace.events.count, "event")
                }
                let event = trace.events[index]
                let slot = Int(event.slot)
                if event.kind == .allocate {
                    let handle = try pool.allocateTensor(id: UInt64(slot), byteCount: event.byteCount)
                    handles[slot] = handle
                    // The address is only looked at.
                    if pass == 0 {
                        map.allocate(event, at: index, address: unsafe UInt(bitPattern: handle.baseAddress))
                    }
                } else if let handle = handles[slot] {
                    try pool.deallocateTensor(id: UInt64(slot), handle)
                    handles[slot] = nil
                    if pass == 0 { map.free(event, at: index) }
                }
                if pass == 0 { sample(after: index + 1) }
            }
            for slot in handles.indices {
                guard let handle = handles[slot] else { continue }
                try pool.deallocateTensor(id: UInt64(slot), handle)
                handles[slot] = nil
            }
        }
        return PoolObservation(
            pool: Pool.name, curve: curve, map: map.map(eventCount: trace.events.count),
            decisions: decisions?(pool) ?? [])
    }
}
