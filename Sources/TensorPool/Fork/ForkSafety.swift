internal import CThreadSlot
internal import Jemalloc
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A fork copies the memory of the process and one of its threads: whatever another thread was changing stays half
/// changed, and a lock it held stays held. So before a fork the forking thread takes every lock of the package and keeps
/// all threads out of their caches; afterwards parent and child let go, and the child takes over what the threads that it
/// does not have kept in their caches.
///
///     1. the registry of engines, so that none comes or goes
///     2. every engine's lock, in order, and its threads' entries emptied; a barrier; their hot paths are over
///     3. every other lock, without waiting; where one is held, everything is let go, and it starts anew
///
/// A thread that holds a lock of 3 may wait for one of 2, which is why 3 must not wait.
enum ForkSafety {
    /// Arranges for it, once a process. jemalloc, which was set up before, does as much for itself, after this before a
    /// fork and before this afterwards.
    static func arrange() { _ = isArranged }

    private static let isArranged: Bool = {
        // What is made at its first use must not be half made at a fork.
        EngineRegistry.makeTables()
        PlanRegistry.makeTable()
        ObserverRegistry.makeTable()
        SpareArenas.makeTable()
        _ = MemoryBarrier.onAllThreads()
        return pthread_atfork(
            { ForkSafety.prepare() }, { ForkSafety.release(isChild: false) }, { ForkSafety.release(isChild: true) })
            == 0
    }()

    /// Tries before a pause that lets who holds a lock go on, where it was stopped in the middle.
    private static let triesBeforePause = 16

    private static func prepare() {
        var tries = 0
        while true {
            EngineRegistry.beginFork()
            if LockList.tryLockAll() { return }
            EngineRegistry.endFork(isChild: false)
            tries += 1
            if tries % triesBeforePause == 0 { usleep(100) } else { sched_yield() }
        }
    }

    private static func release(isChild: Bool) {
        LockList.unlockAll()
        EngineRegistry.endFork(isChild: isChild)
        if isChild { PlanRegistry.forgetDeadOwners() }
    }
}

/// A memory barrier on all threads, for who holds no lock of the package.
enum MemoryBarrier {
    /// Held, so that no fork happens in the middle of it.
    private static let lock = Lock(())

    /// Makes every thread pass a full memory barrier. False where it could not be had.
    static func onAllThreads() -> Bool { lock.withLock { _ in tensorpool_barrier_all_threads() } }
}
