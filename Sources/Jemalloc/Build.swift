/// How the library was built that the process runs with, and the sizes it works with.
public enum Build {
    /// What may be compiled into jemalloc, by the key that says so.
    public enum Option: String, CaseIterable, Sendable {
        /// Large blocks start at a random cache line of their page.
        case cacheObliviousAddresses = "config.cache_oblivious"
        /// Assertions and other debugging code.
        case debugging = "config.debug"
        /// Filling of memory with junk or zeros (`opt.junk`, `opt.zero`).
        case filling = "config.fill"
        /// Locks that are idle until there are two threads.
        case lazyLocking = "config.lazy_lock"
        /// Checks against wrong sizes and double frees.
        case safetyChecks = "config.opt_safety_checks"
        /// Heap profiling (`prof.*`, if `opt.prof` is on too).
        case profiling = "config.prof"
        /// Statistics (`stats.*`).
        case statistics = "config.stats"
        /// Tracing through `utrace(2)`.
        case systemTracing = "config.utrace"
        /// Aborting where there is no memory (`opt.xmalloc`).
        case abortingWithoutMemory = "config.xmalloc"
    }

    /// Whether an option is compiled in. False also where this version of jemalloc does not know it.
    public static func includes(_ option: Option) -> Bool {
        (try? ControlKey<Bool>(option.rawValue).read()) ?? false
    }

    /// Whether this version of jemalloc has names for arenas: the releases after 5.3.0.
    ///
    /// Where false, ``ArenaConfiguration/name`` has no effect.
    public static let hasArenaNames = if case .success = Arena.nameKey { true } else { false }

    /// The options that were compiled in as a string, in the format of `MALLOC_CONF`.
    ///
    /// - Throws: ``JemallocError`` where this version of jemalloc does not say.
    public static var configuration: String {
        get throws(JemallocError) { try ControlKey<String>("config.malloc_conf").read() }
    }

    /// jemalloc's page size in bytes, which may be larger than the system's.
    ///
    /// - Throws: ``JemallocError`` where this version of jemalloc does not say.
    public static var pageSize: Int {
        get throws(JemallocError) { try ControlKey<Int>("arenas.page").read() }
    }

    /// The alignment in bytes of every block of at least this size.
    ///
    /// - Throws: ``JemallocError`` where this version of jemalloc does not say.
    public static var quantum: Int {
        get throws(JemallocError) { try ControlKey<Int>("arenas.quantum").read() }
    }

    /// The largest size in bytes that thread caches keep.
    ///
    /// - Throws: ``JemallocError`` where this version of jemalloc does not say.
    public static var threadCacheMaximumSize: Int {
        get throws(JemallocError) { try ControlKey<Int>("arenas.tcache_max").read() }
    }

    /// How many size classes have bins: the small ones, up to 14 KiB with pages of 4 KiB.
    ///
    /// - Throws: ``JemallocError`` where this version of jemalloc does not say.
    public static var binCount: Int {
        get throws(JemallocError) { Int(try ControlKey<UInt32>("arenas.nbins").read()) }
    }

    /// How many size classes are above the bins: from 16 KiB with pages of 4 KiB.
    ///
    /// - Throws: ``JemallocError`` where this version of jemalloc does not say.
    public static var largeClassCount: Int {
        get throws(JemallocError) { Int(try ControlKey<UInt32>("arenas.nlextents").read()) }
    }

    /// How many arena indices are in use, from 0 up: jemalloc's own arenas, and all ever made.
    ///
    /// - Throws: ``JemallocError`` where this version of jemalloc does not say.
    public static var arenaIndexCount: Int {
        get throws(JemallocError) { Int(try ControlKey<UInt32>("arenas.narenas").read()) }
    }
}
