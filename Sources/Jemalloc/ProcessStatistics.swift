/// What jemalloc holds for the whole process, in bytes. Each is at least the one before it, but for `metadata` and
/// `retained`, which stand by themselves.
public struct ProcessStatistics: Hashable, Sendable {
    /// In blocks that are in use or in a thread cache, each with its real size.
    public let allocated: Int
    /// In pages that have such blocks.
    public let active: Int
    /// For jemalloc's own needs.
    public let metadata: Int
    /// At most this is resident for jemalloc: active pages, metadata, and unused pages that are not yet purged.
    public let resident: Int
    /// Address space in use: active and unused extents, and metadata.
    public let mapped: Int
    /// Address space that is kept for later, with no memory behind it.
    public let retained: Int

    init() throws(JemallocError) {
        allocated = try Self.allocatedKey.get().read()
        active = try Self.activeKey.get().read()
        metadata = try Self.metadataKey.get().read()
        resident = try Self.residentKey.get().read()
        mapped = try Self.mappedKey.get().read()
        retained = try Self.retainedKey.get().read()
    }

    private static let allocatedKey = ControlKey<Int>.resolve("stats.allocated")
    private static let activeKey = ControlKey<Int>.resolve("stats.active")
    private static let metadataKey = ControlKey<Int>.resolve("stats.metadata")
    private static let residentKey = ControlKey<Int>.resolve("stats.resident")
    private static let mappedKey = ControlKey<Int>.resolve("stats.mapped")
    private static let retainedKey = ControlKey<Int>.resolve("stats.retained")
}
