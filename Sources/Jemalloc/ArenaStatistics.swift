/// What one arena, or a sum of arenas, holds and has done.
public struct ArenaStatistics: Hashable, Sendable {
    /// What blocks of small or of large size classes hold and have done.
    public struct Blocks: Hashable, Sendable {
        /// Bytes in blocks that are in use or in a thread cache.
        public let allocated: Int
        /// Blocks ever taken from the arena, by programs and by thread caches.
        public let allocations: UInt64
        /// Blocks ever given back to the arena.
        public let deallocations: UInt64
        /// Requests ever made by programs, those included that a thread cache served.
        public let requests: UInt64
        /// How often thread caches were filled.
        public let fills: UInt64
        /// How often thread caches were flushed.
        public let flushes: UInt64
    }

    /// What one of the two stages of purging has done.
    public struct Purging: Hashable, Sendable {
        /// How often it ran.
        public let sweeps: UInt64
        /// How often it called the system (`madvise(2)` or what stands for it).
        public let systemCalls: UInt64
        /// Pages purged.
        public let pages: UInt64
    }

    /// Threads bound to the arena by jemalloc or `thread.arena`.
    public let boundThreads: UInt32
    /// Nanoseconds since the arena was made.
    public let uptimeNanoseconds: UInt64
    /// The decay time of the first stage in milliseconds.
    public let dirtyDecayMilliseconds: Int
    /// The decay time of the second stage in milliseconds.
    public let muzzyDecayMilliseconds: Int
    /// Pages with blocks in them (`pactive`), of ``Build/pageSize`` bytes.
    public let activePages: Int
    /// Unused pages that were written to and not yet purged (`pdirty`).
    public let dirtyPages: Int
    /// Unused pages that the system may take back when it needs memory (`pmuzzy`).
    public let muzzyPages: Int
    /// Bytes of address space in use.
    public let mapped: Int
    /// Bytes of address space kept for later, with no memory behind.
    public let retained: Int
    /// Bytes that are resident at most.
    public let resident: Int
    /// Bytes of metadata that the arena was made with.
    public let base: Int
    /// Bytes of metadata that the arena has taken from itself.
    public let `internal`: Int
    /// Bytes in thread caches that came from the arena.
    public let threadCacheBytes: Int
    /// Blocks of the small size classes.
    public let small: Blocks
    /// Blocks of the large size classes.
    public let large: Blocks
    /// The first stage of purging.
    public let dirtyPurging: Purging
    /// The second stage of purging.
    public let muzzyPurging: Purging

    init(index: Int) throws(JemallocError) {
        boundThreads = try Keys.boundThreads.get().at(index).read()
        uptimeNanoseconds = try Keys.uptime.get().at(index).read()
        dirtyDecayMilliseconds = try Keys.dirtyDecay.get().at(index).read()
        muzzyDecayMilliseconds = try Keys.muzzyDecay.get().at(index).read()
        activePages = try Keys.activePages.get().at(index).read()
        dirtyPages = try Keys.dirtyPages.get().at(index).read()
        muzzyPages = try Keys.muzzyPages.get().at(index).read()
        mapped = try Keys.mapped.get().at(index).read()
        retained = try Keys.retained.get().at(index).read()
        resident = try Keys.resident.get().at(index).read()
        base = try Keys.base.get().at(index).read()
        `internal` = try Keys.internal.get().at(index).read()
        threadCacheBytes = try Keys.threadCacheBytes.get().at(index).read()
        small = try Keys.small.read(index)
        large = try Keys.large.read(index)
        dirtyPurging = try Keys.dirtyPurging.read(index)
        muzzyPurging = try Keys.muzzyPurging.read(index)
    }
}

/// The keys, looked up once.
private enum Keys {
    static let boundThreads = ControlKey<UInt32>.resolve("stats.arenas.<i>.nthreads")
    static let uptime = ControlKey<UInt64>.resolve("stats.arenas.<i>.uptime")
    static let dirtyDecay = ControlKey<Int>.resolve("stats.arenas.<i>.dirty_decay_ms")
    static let muzzyDecay = ControlKey<Int>.resolve("stats.arenas.<i>.muzzy_decay_ms")
    static let activePages = ControlKey<Int>.resolve("stats.arenas.<i>.pactive")
    static let dirtyPages = ControlKey<Int>.resolve("stats.arenas.<i>.pdirty")
    static let muzzyPages = ControlKey<Int>.resolve("stats.arenas.<i>.pmuzzy")
    static let mapped = ControlKey<Int>.resolve("stats.arenas.<i>.mapped")
    static let retained = ControlKey<Int>.resolve("stats.arenas.<i>.retained")
    static let resident = ControlKey<Int>.resolve("stats.arenas.<i>.resident")
    static let base = ControlKey<Int>.resolve("stats.arenas.<i>.base")
    static let `internal` = ControlKey<Int>.resolve("stats.arenas.<i>.internal")
    static let threadCacheBytes = ControlKey<Int>.resolve("stats.arenas.<i>.tcache_bytes")
    static let small = BlockKeys("small")
    static let large = BlockKeys("large")
    static let dirtyPurging = PurgingKeys("dirty")
    static let muzzyPurging = PurgingKeys("muzzy")
}

private struct BlockKeys: Sendable {
    let allocated: Result<ControlKey<Int>, JemallocError>
    let counts: [Result<ControlKey<UInt64>, JemallocError>]

    init(_ kind: String) {
        allocated = ControlKey<Int>.resolve("stats.arenas.<i>.\(kind).allocated")
        counts = ["nmalloc", "ndalloc", "nrequests", "nfills", "nflushes"].map {
            ControlKey<UInt64>.resolve("stats.arenas.<i>.\(kind).\($0)")
        }
    }

    func read(_ index: Int) throws(JemallocError) -> ArenaStatistics.Blocks {
        ArenaStatistics.Blocks(
            allocated: try allocated.get().at(index).read(), allocations: try counts[0].get().at(index).read(),
            deallocations: try counts[1].get().at(index).read(), requests: try counts[2].get().at(index).read(),
            fills: try counts[3].get().at(index).read(), flushes: try counts[4].get().at(index).read())
    }
}

private struct PurgingKeys: Sendable {
    let counts: [Result<ControlKey<UInt64>, JemallocError>]

    init(_ stage: String) {
        counts = ["npurge", "nmadvise", "purged"].map {
            ControlKey<UInt64>.resolve("stats.arenas.<i>.\(stage)_\($0)")
        }
    }

    func read(_ index: Int) throws(JemallocError) -> ArenaStatistics.Purging {
        ArenaStatistics.Purging(
            sweeps: try counts[0].get().at(index).read(), systemCalls: try counts[1].get().at(index).read(),
            pages: try counts[2].get().at(index).read())
    }
}
