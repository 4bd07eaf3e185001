import AllocationTrace
import TensorPool

/// What making a base and a pool on it costs.
struct ConstructionCost: Codable, Equatable {
    /// Without prewarming.
    let nanoseconds: Double
    /// By how much resident memory grew, without prewarming.
    let residentBytes: Int
    /// What the configuration's prewarming takes on top.
    let prewarmNanoseconds: Double
    let prewarmResidentBytes: Int
}

/// A pool, and what it cost to make.
///
/// Two are made, without prewarming and with it, and the second is the pool: the difference between them is the
/// prewarming.
struct PoolConstruction<Pool: MeasuredPool> {
    let pool: Pool
    let cost: ConstructionCost
    /// Keeps what the first one left behind from being used by the second.
    private let bare: Pool

    /// - Parameter configuration: nil for the default.
    init(configuration: PoolConfiguration? = nil) throws {
        let bare = try Self.measure { try Pool.make(isPrewarmed: false, configuration: configuration) }
        let ready = try Self.measure { try Pool.make(isPrewarmed: true, configuration: configuration) }
        pool = ready.pool
        self.bare = bare.pool
        cost = ConstructionCost(
            nanoseconds: bare.nanoseconds, residentBytes: bare.residentBytes,
            prewarmNanoseconds: max(0, ready.nanoseconds - bare.nanoseconds),
            prewarmResidentBytes: max(0, ready.residentBytes - bare.residentBytes))
    }

    private static func measure(
        _ make: () throws -> Pool
    ) rethrows -> (pool: Pool, nanoseconds: Double, residentBytes: Int) {
        let before = ProcessMemory.exactResidentBytes
        let start = ContinuousClock.now
        let pool = try make()
        let duration = ContinuousClock.now - start
        return (pool, duration / .nanoseconds(1), max(0, ProcessMemory.exactResidentBytes - before))
    }
}

/// What construction costs over several pools of one kind, all alive until the last is made, so that each meets
/// memory that nobody left behind.
struct ConstructionStatistics: Codable, Equatable {
    let pool: PoolName
    /// Nanoseconds to make the base and the pool, without prewarming.
    let nanoseconds: RoundStatistics
    /// By how many bytes resident memory grew, without prewarming.
    let residentBytes: RoundStatistics
    /// Nanoseconds that the default configuration's prewarming takes on top.
    let prewarmNanoseconds: RoundStatistics
    let prewarmResidentBytes: RoundStatistics

    /// Makes pools of all kinds in turn.
    /// - Parameter count: how many of each, above 0.
    static func measure(count: Int) throws -> [ConstructionStatistics] {
        var standard: [PoolConstruction<TensorMemoryPool>] = []
        var optimized: [PoolConstruction<OptimizedTensorMemoryPool>] = []
        var adaptive: [PoolConstruction<AdaptiveTensorMemoryPool>] = []
        // The first reading sets up what reading needs, which must not count as a pool's.
        _ = ProcessMemory.exactResidentBytes
        for _ in 0..<count {
            standard.append(try PoolConstruction())
            optimized.append(try PoolConstruction())
            adaptive.append(try PoolConstruction())
        }
        return [
            summarize(.standard, standard.map(\.cost)), summarize(.optimized, optimized.map(\.cost)),
            summarize(.adaptive, adaptive.map(\.cost)),
        ].compactMap(\.self)
    }

    private static func summarize(_ pool: PoolName, _ costs: [ConstructionCost]) -> ConstructionStatistics? {
        guard let nanoseconds = RoundStatistics(costs.map(\.nanoseconds)),
            let residentBytes = RoundStatistics(costs.map { Double($0.residentBytes) }),
            let prewarmNanoseconds = RoundStatistics(costs.map(\.prewarmNanoseconds)),
            let prewarmResidentBytes = RoundStatistics(costs.map { Double($0.prewarmResidentBytes) })
        else { return nil }
        return ConstructionStatistics(
            pool: pool, nanoseconds: nanoseconds, residentBytes: residentBytes,
            prewarmNanoseconds: prewarmNanoseconds, prewarmResidentBytes: prewarmResidentBytes)
    }
}
