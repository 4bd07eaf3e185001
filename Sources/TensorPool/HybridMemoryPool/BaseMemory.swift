internal import Jemalloc
internal import Synchronization

/// What an engine has of a ``HybridMemoryPool``: an account in which it takes bytes, and all that the pools share. It
/// outlives the base while blocks are out.
final class BaseMemory: Sendable {
    let configuration: HybridMemoryPool.Configuration
    let account: ByteAccount
    let shared: SharedMemory

    init(configuration: HybridMemoryPool.Configuration) {
        self.configuration = configuration
        account = ByteAccount(.base, limit: configuration.byteLimit ?? .max)
        shared = SharedMemory(decayMilliseconds: configuration.decayMilliseconds)
    }

    private init(_ base: BaseMemory, byteLimit: Int) {
        configuration = base.configuration
        account = ByteAccount(.pool, limit: byteLimit, parent: base.account)
        shared = base.shared
    }

    /// The same memory under a limit of a pool's own, inside this one's.
    func limited(to byteLimit: Int?) -> BaseMemory {
        byteLimit.map { BaseMemory(self, byteLimit: $0) } ?? self
    }

    // MARK: - The account

    /// Bytes that engines under this limit hold.
    var reserved: Int { account.taken }

    /// Takes bytes from the limits, before they are used. False, and nothing taken, where they would exceed one.
    func reserve(_ byteCount: Int) -> Bool { account.take(byteCount) }

    /// Whether the limits have room for so many bytes at this moment: what is asked before address space is got for
    /// them.
    func hasRoom(for byteCount: Int) -> Bool { account.obstacle(to: byteCount) == nil }

    /// Gives bytes back to the limits.
    func unreserve(_ byteCount: Int) { account.give(byteCount) }

    // MARK: - Arenas

    /// The flags of a strategy's arena for a category, made at its first use.
    func arenaFlags(_ strategy: AllocationStrategy, _ category: TensorSizeCategory) throws(JemallocError)
        -> AllocationFlags
    {
        try shared.arenas.withLock { arenas throws(JemallocError) in try arenas.flags(strategy, category) }
    }

    /// The flags of the weights' arena, made at its first use.
    func weightArenaFlags() throws(JemallocError) -> AllocationFlags {
        try shared.arenas.withLock { arenas throws(JemallocError) in try arenas.weightFlags() }
    }

    /// Returns the arenas' freed pages to the system.
    func purge() { shared.arenas.withLock { $0.purge() } }

    /// Bytes that the arenas keep of what was freed to them, as jemalloc counts them.
    func retainedByteCount() -> Int { shared.arenas.withLock { $0.retainedByteCount() } }

    // MARK: - Engines

    func add(_ engine: Engine) { shared.add(engine) }

    func remove(_ engine: Engine) { shared.remove(engine) }

    func engines() -> [Engine] { shared.engines() }

    func engine(serial: UInt64) -> Engine? { engines().first { $0.serial == serial } }
}
