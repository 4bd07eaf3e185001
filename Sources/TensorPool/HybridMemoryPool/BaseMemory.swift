internal import Jemalloc
internal import Synchronization

/// What engines share of a ``HybridMemoryPool``, and what outlives it while blocks are out.
final class BaseMemory: Sendable {
    let configuration: HybridMemoryPool.Configuration
    private let limit: Int
    private let counter = Atomic<Int>(0)
    private let arenas: Mutex<StrategyArenas>
    private let registered = Mutex<[ObjectIdentifier: WeakEngine]>([:])

    init(configuration: HybridMemoryPool.Configuration) {
        self.configuration = configuration
        limit = configuration.byteLimit ?? .max
        arenas = Mutex(StrategyArenas(decayMilliseconds: configuration.decayMilliseconds))
    }

    // MARK: - The account

    /// Bytes that engines hold.
    var reserved: Int { counter.load(ordering: .relaxed) }

    /// Takes bytes from the limit, before they are used. False, and nothing taken, where they would exceed it.
    func reserve(_ byteCount: Int) -> Bool {
        var current = counter.load(ordering: .relaxed)
        while true {
            let (sum, overflow) = current.addingReportingOverflow(byteCount)
            guard !overflow, sum <= limit else { return false }
            let (exchanged, original) = counter.weakCompareExchange(
                expected: current, desired: sum, ordering: .relaxed)
            if exchanged { return true }
            current = original
        }
    }

    /// Whether the limit has room for so many bytes at this moment: what is asked before address space is got for them.
    func hasRoom(for byteCount: Int) -> Bool { limit - reserved >= byteCount }

    /// Gives bytes back to the limit.
    func unreserve(_ byteCount: Int) {
        if byteCount != 0 { counter.subtract(byteCount, ordering: .relaxed) }
    }

    // MARK: - Arenas

    /// The flags of a strategy's arena for a category, made at its first use.
    func arenaFlags(_ strategy: AllocationStrategy, _ category: TensorSizeCategory) throws(JemallocError)
        -> AllocationFlags
    {
        try arenas.withLock { arenas throws(JemallocError) in try arenas.flags(strategy, category) }
    }

    /// The flags of the weights' arena, made at its first use.
    func weightArenaFlags() throws(JemallocError) -> AllocationFlags {
        try arenas.withLock { arenas throws(JemallocError) in try arenas.weightFlags() }
    }

    /// Returns the arenas' freed pages to the system.
    func purge() { arenas.withLock { $0.purge() } }

    /// Bytes that the arenas keep of what was freed to them, as jemalloc counts them.
    func retainedByteCount() -> Int { arenas.withLock { $0.retainedByteCount() } }

    // MARK: - Engines

    func add(_ engine: Engine) {
        registered.withLock { $0[ObjectIdentifier(engine)] = WeakEngine(engine: engine) }
    }

    func remove(_ engine: Engine) {
        registered.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(engine)) }
    }

    func engines() -> [Engine] { registered.withLock { $0.values.compactMap(\.engine) } }

    func engine(serial: UInt64) -> Engine? { engines().first { $0.serial == serial } }

    /// Has engines give up what no tensor uses, the asking one first, until `needed` bytes are free below the limit; or
    /// all of them, where it is the system that refused. Returns how many bytes were given up. No engine's lock may be
    /// held.
    func reclaim(_ needed: Int, for asking: Engine, all: Bool) -> Int {
        var returned = asking.returnIdle()
        for engine in engines() where engine !== asking {
            if !all && hasRoom(for: needed) { break }
            returned += engine.returnIdle()
        }
        return returned
    }

    /// The error for a request that the limit stands against, after everything idle was given up.
    func limitError(requested: Int, needed: Int) -> TensorPoolError {
        let all = engines().reduce(into: PoolStatistics()) { $0.add($1.statistics()) }
        let advice: String
        if requested > limit {
            advice = "the tensor alone is larger than the limit: raise byteLimit to at least \(requested)"
        } else if all.liveBytes + requested > limit {
            advice = "live tensors leave \(max(0, limit - all.liveBytes)) bytes: free some, or raise byteLimit"
        } else {
            advice = "what is free lies in pieces between live tensors: raise byteLimit to about \(reserved + needed)"
        }
        return .limitReached(
            LimitReport(
                requested: requested, needed: needed, limit: limit, reserved: reserved, live: all.liveBytes,
                cached: all.cachedBytes + all.prewarmedBytes, advice: advice))
    }
}

/// An engine that the base can ask for memory it does not use.
struct WeakEngine: Sendable {
    weak var engine: Engine?
}
