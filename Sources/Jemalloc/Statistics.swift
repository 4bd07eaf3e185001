/// jemalloc's statistics, as of the last ``refresh()``.
///
/// jemalloc gathers statistics into a copy when it is told to, and everything here reads that copy. The copy is one for
/// the process: where threads refresh while another reads, that one's figures may come from different moments.
///
/// Every function throws ``JemallocError`` with `ENOENT` where statistics are not compiled in
/// (``Build/Option/statistics``; the usual packages have them).
public enum Statistics {
    /// Gathers the statistics anew, and returns how often that has been done.
    ///
    /// Costs about 2 us for each arena. A block that is in a thread's cache counts as allocated.
    ///
    /// - Throws: ``JemallocError`` with `EAGAIN` where jemalloc has no memory for it.
    @discardableResult
    public static func refresh() throws(JemallocError) -> UInt64 {
        // Any value will do: jemalloc counts by itself.
        try epochKey.get().read(for: 1 as UInt64)
    }

    /// The statistics of the whole process. Costs about 0.5 us.
    ///
    /// - Throws: ``JemallocError`` as ``Statistics`` says.
    public static func process() throws(JemallocError) -> ProcessStatistics {
        try ProcessStatistics()
    }

    /// The statistics of one arena. Costs about 10 us.
    ///
    /// - Throws: ``JemallocError`` with `ENOENT` where there is no such arena, or was none at the last refresh.
    public static func arena(_ index: UInt32) throws(JemallocError) -> ArenaStatistics {
        try ArenaStatistics(index: Int(index))
    }

    /// The sums over all arenas.
    ///
    /// - Throws: ``JemallocError`` as ``Statistics`` says.
    public static func allArenas() throws(JemallocError) -> ArenaStatistics {
        try ArenaStatistics(index: IndexRule.allArenas)
    }

    /// The sums over the arenas that have been destroyed, each as it was then.
    ///
    /// - Throws: ``JemallocError`` with `ENOENT` where none has been destroyed.
    public static func destroyedArenas() throws(JemallocError) -> ArenaStatistics {
        try ArenaStatistics(index: IndexRule.destroyedArenas)
    }

    /// The statistics of one bin, that is of one small size class, in one arena.
    ///
    /// - Parameters:
    ///   - arena: The arena's index.
    ///   - bin: Less than ``Build/binCount``.
    /// - Throws: ``JemallocError`` with `ENOENT` where there is no such bin, or was no such arena at the last refresh.
    public static func bin(arena: UInt32, bin: Int) throws(JemallocError) -> BinStatistics {
        try BinStatistics(arena: arena, bin: bin)
    }

    /// The statistics of one large size class in one arena.
    ///
    /// - Parameters:
    ///   - arena: The arena's index.
    ///   - largeClass: Less than ``Build/largeClassCount``.
    /// - Throws: ``JemallocError`` with `ENOENT` where there is no such class, or was no such arena at the last refresh.
    public static func largeClass(arena: UInt32, largeClass: Int) throws(JemallocError) -> LargeClassStatistics {
        try LargeClassStatistics(arena: arena, largeClass: largeClass)
    }

    private static let epochKey = ControlKey<UInt64>.resolve("epoch")
}
