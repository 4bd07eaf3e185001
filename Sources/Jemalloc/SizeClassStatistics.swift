/// What one small size class holds and has done in one arena. Its blocks ("regions") lie in slabs.
public struct BinStatistics: Hashable, Sendable {
    /// Bytes of a region.
    public let regionSize: Int
    /// Regions in a slab.
    public let regionsPerSlab: UInt32
    /// Bytes of a slab.
    public let slabSize: Int
    /// Regions now in use or in a thread cache (`curregs`).
    public let currentRegions: Int
    /// Slabs now in use (`curslabs`).
    public let currentSlabs: Int
    /// Slabs now in use that have room (`nonfull_slabs`).
    public let nonfullSlabs: Int
    /// Regions ever taken from the arena, by programs and by thread caches (`nmalloc`).
    public let allocations: UInt64
    /// Regions ever given back to the arena (`ndalloc`).
    public let deallocations: UInt64
    /// Requests ever made by programs, those included that a thread cache served (`nrequests`).
    public let requests: UInt64
    /// How often thread caches were filled (`nfills`).
    public let fills: UInt64
    /// How often thread caches were flushed (`nflushes`).
    public let flushes: UInt64
    /// Slabs ever made (`nslabs`).
    public let slabs: UInt64
    /// How often the current slab was exchanged for another with room (`nreslabs`).
    public let slabExchanges: UInt64

    init(arena: UInt32, bin: Int) throws(JemallocError) {
        regionSize = try Keys.regionSize.get().at(bin).read()
        regionsPerSlab = try Keys.regionsPerSlab.get().at(bin).read()
        slabSize = try Keys.slabSize.get().at(bin).read()
        currentRegions = try Keys.currentRegions.get().at(arena).at(bin).read()
        currentSlabs = try Keys.currentSlabs.get().at(arena).at(bin).read()
        nonfullSlabs = try Keys.nonfullSlabs.get().at(arena).at(bin).read()
        allocations = try Keys.allocations.get().at(arena).at(bin).read()
        deallocations = try Keys.deallocations.get().at(arena).at(bin).read()
        requests = try Keys.requests.get().at(arena).at(bin).read()
        fills = try Keys.fills.get().at(arena).at(bin).read()
        flushes = try Keys.flushes.get().at(arena).at(bin).read()
        slabs = try Keys.slabs.get().at(arena).at(bin).read()
        slabExchanges = try Keys.slabExchanges.get().at(arena).at(bin).read()
    }

    private enum Keys {
        static let regionSize = ControlKey<Int>.resolve("arenas.bin.<j>.size")
        static let regionsPerSlab = ControlKey<UInt32>.resolve("arenas.bin.<j>.nregs")
        static let slabSize = ControlKey<Int>.resolve("arenas.bin.<j>.slab_size")
        static let currentRegions = ControlKey<Int>.resolve("stats.arenas.<i>.bins.<j>.curregs")
        static let currentSlabs = ControlKey<Int>.resolve("stats.arenas.<i>.bins.<j>.curslabs")
        static let nonfullSlabs = ControlKey<Int>.resolve("stats.arenas.<i>.bins.<j>.nonfull_slabs")
        static let allocations = ControlKey<UInt64>.resolve("stats.arenas.<i>.bins.<j>.nmalloc")
        static let deallocations = ControlKey<UInt64>.resolve("stats.arenas.<i>.bins.<j>.ndalloc")
        static let requests = ControlKey<UInt64>.resolve("stats.arenas.<i>.bins.<j>.nrequests")
        static let fills = ControlKey<UInt64>.resolve("stats.arenas.<i>.bins.<j>.nfills")
        static let flushes = ControlKey<UInt64>.resolve("stats.arenas.<i>.bins.<j>.nflushes")
        static let slabs = ControlKey<UInt64>.resolve("stats.arenas.<i>.bins.<j>.nslabs")
        static let slabExchanges = ControlKey<UInt64>.resolve("stats.arenas.<i>.bins.<j>.nreslabs")
    }
}

/// What one large size class holds and has done in one arena. Each of its blocks is an extent by itself.
public struct LargeClassStatistics: Hashable, Sendable {
    /// Bytes of a block.
    public let size: Int
    /// Blocks now in use or in a thread cache (`curlextents`).
    public let currentBlocks: Int
    /// Blocks ever taken from the arena (`nmalloc`).
    public let allocations: UInt64
    /// Blocks ever given back to the arena (`ndalloc`).
    public let deallocations: UInt64
    /// Requests ever made by programs, those included that a thread cache served (`nrequests`).
    public let requests: UInt64

    init(arena: UInt32, largeClass: Int) throws(JemallocError) {
        size = try Keys.size.get().at(largeClass).read()
        currentBlocks = try Keys.currentBlocks.get().at(arena).at(largeClass).read()
        allocations = try Keys.allocations.get().at(arena).at(largeClass).read()
        deallocations = try Keys.deallocations.get().at(arena).at(largeClass).read()
        requests = try Keys.requests.get().at(arena).at(largeClass).read()
    }

    private enum Keys {
        static let size = ControlKey<Int>.resolve("arenas.lextent.<j>.size")
        static let currentBlocks = ControlKey<Int>.resolve("stats.arenas.<i>.lextents.<j>.curlextents")
        static let allocations = ControlKey<UInt64>.resolve("stats.arenas.<i>.lextents.<j>.nmalloc")
        static let deallocations = ControlKey<UInt64>.resolve("stats.arenas.<i>.lextents.<j>.ndalloc")
        static let requests = ControlKey<UInt64>.resolve("stats.arenas.<i>.lextents.<j>.nrequests")
    }
}
