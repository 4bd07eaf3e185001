/// What to set on a new arena. Nil leaves jemalloc's own setting.
public struct ArenaConfiguration: Hashable, Sendable {
    /// The name in jemalloc's reports, cut to 31 bytes.
    ///
    /// Applied where this version of jemalloc has arena names (``Build/hasArenaNames``; 5.3.0 has not), and otherwise
    /// ignored.
    public var name: String?
    /// How long freed pages are kept before they are purged, in milliseconds: 0 purges at once, -1 never.
    ///
    /// jemalloc's own setting is 10,000. Purging follows a curve over this time, and happens as the arena is used.
    public var dirtyDecayMilliseconds: Int?
    /// How long purged pages stay in the second stage (`MADV_FREE`), in milliseconds: 0 skips it, -1 is for ever.
    ///
    /// jemalloc's own setting is 0. Only pages that decay step by step get there: ``Arena/purge()`` and a dirty decay
    /// time of 0 pass the stage by.
    public var muzzyDecayMilliseconds: Int?
    /// The size in bytes from which freed extents are purged at once, whatever the decay time is.
    ///
    /// jemalloc's own setting is 8 MiB; `1 << 40` keeps extents of every size. Where both decay times are -1 nothing is
    /// purged in any case.
    public var oversizeThreshold: Int?
    /// How large, in bytes, the pieces of address space may get that the arena takes from the system, each larger than
    /// the one before. At least one page; jemalloc's own setting has no limit.
    public var retainGrowLimit: Int?

    /// A configuration of the given settings.
    public init(
        name: String? = nil, dirtyDecayMilliseconds: Int? = nil, muzzyDecayMilliseconds: Int? = nil,
        oversizeThreshold: Int? = nil, retainGrowLimit: Int? = nil
    ) {
        self.name = name
        self.dirtyDecayMilliseconds = dirtyDecayMilliseconds
        self.muzzyDecayMilliseconds = muzzyDecayMilliseconds
        self.oversizeThreshold = oversizeThreshold
        self.retainGrowLimit = retainGrowLimit
    }
}
