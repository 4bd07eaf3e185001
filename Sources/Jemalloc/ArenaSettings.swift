import CJemalloc

extension Arena {
    /// How long freed pages are kept before they are purged, in milliseconds: 0 purges at once, -1 never.
    public var dirtyDecayMilliseconds: Int {
        get throws(JemallocError) { try Self.dirtyDecayKey.get().at(index).read() }
    }

    /// Sets how long freed pages are kept before they are purged.
    ///
    /// - Parameter milliseconds: 0 to purge at once, -1 to keep them for ever.
    /// - Throws: ``JemallocError`` with `EFAULT` below -1 and above what fits 64 bits of nanoseconds.
    public func setDirtyDecayMilliseconds(_ milliseconds: Int) throws(JemallocError) {
        try Self.dirtyDecayKey.get().at(index).write(milliseconds)
    }

    /// How long purged pages stay in the second stage (`MADV_FREE`), in milliseconds: 0 skips it, -1 is for ever.
    public var muzzyDecayMilliseconds: Int {
        get throws(JemallocError) { try Self.muzzyDecayKey.get().at(index).read() }
    }

    /// Sets how long purged pages stay in the second stage.
    ///
    /// - Parameter milliseconds: 0 to skip the stage, -1 to keep them there for ever.
    /// - Throws: ``JemallocError`` with `EFAULT` below -1 and above what fits 64 bits of nanoseconds.
    public func setMuzzyDecayMilliseconds(_ milliseconds: Int) throws(JemallocError) {
        try Self.muzzyDecayKey.get().at(index).write(milliseconds)
    }

    /// The size in bytes from which freed extents are purged at once, whatever the decay time is.
    public var oversizeThreshold: Int {
        get throws(JemallocError) { Int(clamping: try Self.oversizeThresholdKey.get().at(index).read()) }
    }

    /// Sets the size from which freed extents are purged at once.
    ///
    /// - Throws: ``JemallocError`` with `EINVAL` where `byteCount` is negative, with `ENOENT` where this version of
    ///   jemalloc has no such setting for an arena.
    public func setOversizeThreshold(_ byteCount: Int) throws(JemallocError) {
        try Self.writeSize(byteCount, to: Self.oversizeThresholdKey, arena: index)
    }

    /// How large, in bytes, the pieces of address space may get that the arena takes from the system.
    public var retainGrowLimit: Int {
        get throws(JemallocError) { Int(clamping: try Self.retainGrowLimitKey.get().at(index).read()) }
    }

    /// Sets how large the pieces of address space may get that the arena takes from the system.
    ///
    /// jemalloc rounds the limit down to a size class.
    ///
    /// - Throws: ``JemallocError`` with `EINVAL` where `byteCount` is negative, `EFAULT` where it is less than a page,
    ///   `ENOENT` where the option `opt.retain` is off.
    public func setRetainGrowLimit(_ byteCount: Int) throws(JemallocError) {
        try Self.writeSize(byteCount, to: Self.retainGrowLimitKey, arena: index)
    }

    /// Applies all settings that are not nil: an arena that was ``reset()`` can so serve somebody else.
    ///
    /// - Throws: ``JemallocError`` of the first setting that jemalloc refuses; those before it are applied.
    public func apply(_ configuration: ArenaConfiguration) throws(JemallocError) {
        try Self.apply(configuration, toArena: index)
    }

    /// Applies all settings that are not nil.
    static func apply(_ configuration: ArenaConfiguration, toArena index: UInt32) throws(JemallocError) {
        if let name = configuration.name, Build.hasArenaNames {
            try nameKey.get().at(index).write(name)
        }
        if let milliseconds = configuration.dirtyDecayMilliseconds {
            try dirtyDecayKey.get().at(index).write(milliseconds)
        }
        if let milliseconds = configuration.muzzyDecayMilliseconds {
            try muzzyDecayKey.get().at(index).write(milliseconds)
        }
        if let byteCount = configuration.oversizeThreshold {
            try writeSize(byteCount, to: oversizeThresholdKey, arena: index)
        }
        if let byteCount = configuration.retainGrowLimit {
            try writeSize(byteCount, to: retainGrowLimitKey, arena: index)
        }
    }

    /// Writes a `size_t`, for which a negative number would be a huge one.
    private static func writeSize(
        _ byteCount: Int, to key: Result<ControlKey<UInt>, JemallocError>, arena index: UInt32
    ) throws(JemallocError) {
        let key = try key.get().at(index)
        guard let size = UInt(exactly: byteCount) else {
            throw JemallocError(key: key.name, operation: .write("\(byteCount)"), errno: EINVAL)
        }
        try key.write(size)
    }

    static let nameKey = ControlKey<String>.resolve("arena.<i>.name")
    private static let dirtyDecayKey = ControlKey<Int>.resolve("arena.<i>.dirty_decay_ms")
    private static let muzzyDecayKey = ControlKey<Int>.resolve("arena.<i>.muzzy_decay_ms")
    private static let oversizeThresholdKey = ControlKey<UInt>.resolve("arena.<i>.oversize_threshold")
    private static let retainGrowLimitKey = ControlKey<UInt>.resolve("arena.<i>.retain_grow_limit")
}
