import Synchronization

/// An arena of jemalloc's: memory of its own, with its own settings, that can be given back as a whole.
///
/// The arena is destroyed with its owner, and **its memory with it**: whoever keeps blocks of it keeps it. It serves
/// ``mallocx(_:_:)`` with ``flags``.
///
/// All threads may use an arena. Making and destroying one costs about 60 us, and while it lives 90 KiB of resident
/// memory, of which 35 KiB stay for the next arena at its index (2-core x86-64 VM, jemalloc 5.3.0). There can be 4,095
/// arenas at a time, jemalloc's own included.
///
/// Each arena that is destroyed leaves 2 MiB of address space mapped for good (5.3.0, src/base.c: `base_unmap`), in a mapping
/// of its own if the arena was used, and a process may have 65,530 of these. Who makes thousands of arenas one after the
/// other keeps them for the next use: ``reset()``, ``purge()``, ``apply(_:)``.
public struct Arena: ~Copyable, Sendable {
    /// The arena's number, which control keys and statistics use. jemalloc gives it to another arena after destruction.
    public let index: UInt32

    /// Makes an arena.
    ///
    /// - Throws: ``JemallocError`` with `EAGAIN` where there are too many arenas or there is no memory; the error of
    ///   the setting that jemalloc refuses (such as a decay time below -1: `EFAULT`), and then no arena is left behind.
    public init(_ configuration: ArenaConfiguration = ArenaConfiguration()) throws(JemallocError) {
        let created = try Self.createKey.get().read()
        do throws(JemallocError) {
            try Self.apply(configuration, toArena: created)
        } catch {
            // The setting's error is what the caller can act on; the arena is new and unused, so this succeeds.
            try? Self.destroyArena(created)
            throw error
        }
        index = created
    }

    deinit {
        // Refused only while threads are bound to the arena through `thread.arena`; then the arena stays.
        try? Self.destroyArena(index)
    }

    /// The flags that allocate from this arena and past every thread cache.
    ///
    /// Without thread caches no freed block of the arena is left in one when the arena goes. For speed with small
    /// blocks combine `AllocationFlags.arena(index)` with an own ``ThreadCache``, and destroy that first.
    @inlinable
    public var flags: AllocationFlags {
        .arena(index) | .withoutThreadCache
    }

    /// Gives all memory of the arena back and ends it.
    ///
    /// Every block of it becomes invalid. The arena is gone for this owner even where an error is thrown.
    ///
    /// - Throws: ``JemallocError`` with `EFAULT` where threads are bound to the arena (through the key `thread.arena`):
    ///   then it stays until the process ends.
    public consuming func destroy() throws(JemallocError) {
        let index = index
        discard self
        try Self.destroyArena(index)
    }

    /// Frees every block of the arena at once. The arena stays, with its settings, and keeps the pages to decay.
    ///
    /// Every block of it becomes invalid, and no thread may use the arena meanwhile.
    ///
    /// - Throws: ``JemallocError`` with `EFAULT` where jemalloc has no such arena.
    public func reset() throws(JemallocError) {
        try Self.resetKey.get().at(index).call()
    }

    /// Gives all unused pages of the arena back to the system now.
    ///
    /// - Throws: ``JemallocError``, but for no reason known of.
    public func purge() throws(JemallocError) {
        try Self.purgeKey.get().at(index).call()
    }

    /// Gives those unused pages back to the system whose decay time says so by now.
    ///
    /// - Throws: ``JemallocError``, but for no reason known of.
    public func decay() throws(JemallocError) {
        try Self.decayKey.get().at(index).call()
    }

    /// Gives all unused pages of all arenas of the process back to the system now.
    ///
    /// - Throws: ``JemallocError``, but for no reason known of.
    public static func purgeAll() throws(JemallocError) {
        try purgeKey.get().at(IndexRule.allArenas).call()
    }

    /// The index of the arena that a block came from.
    ///
    /// - Parameter pointer: An address that jemalloc returned, or any other.
    /// - Throws: ``JemallocError`` with `EINVAL` where the address is not jemalloc's.
    public static func index(of pointer: UnsafeRawPointer) throws(JemallocError) -> UInt32 {
        // Only the address is looked at.
        try lookUpKey.get().read(for: UInt(bitPattern: pointer))
    }

    /// Held while an arena goes and while a report is printed: jemalloc aborts the process when an arena goes in the
    /// middle of its report (5.3.0, src/stats.c: `xmallctlbymib`).
    static let destruction = Lock(())

    private static func destroyArena(_ index: UInt32) throws(JemallocError) {
        let key = try destroyKey.get().at(index)
        try destruction.withLock { _ throws(JemallocError) in try key.call() }
    }

    private static let createKey = ControlKey<UInt32>.resolve("arenas.create")
    private static let lookUpKey = ControlKey<UInt32>.resolve("arenas.lookup")
    private static let destroyKey = ControlKey<Void>.resolve("arena.<i>.destroy")
    private static let resetKey = ControlKey<Void>.resolve("arena.<i>.reset")
    private static let purgeKey = ControlKey<Void>.resolve("arena.<i>.purge")
    private static let decayKey = ControlKey<Void>.resolve("arena.<i>.decay")
}
