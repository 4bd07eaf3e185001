internal import CThreadSlot
internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

extension Engine {
    /// Takes the lock, and empties the entries of all other threads. Whether there was one.
    func beginFork() -> Bool {
        // By the mutex: who waits to end a bias holds it.
        unsafe lock.lockToForget(ownCache)
        var others = false
        unsafe forEachOthersCache { thread, _ in
            others = true
            unsafe tensorpool_store_entry(thread, number, nil)
        }
        return others
    }

    /// Waits until no other thread is in its cache. A memory barrier has passed since ``beginFork()``.
    func awaitHotPaths() {
        unsafe forEachOthersCache { thread, _ in
            while unsafe tensorpool_is_busy(thread) { sched_yield() }
        }
    }

    /// Lets all threads in again and releases the lock. In a child the other threads do not exist: what their caches keep
    /// is the engine's again.
    func endFork(isChild: Bool) {
        unsafe forEachOthersCache { thread, cache in
            guard isChild else {
                unsafe tensorpool_store_entry(thread, number, cache)
                return
            }
            unsafe state.pointee.drainInbox(of: cache, into: cache)
            unsafe state.pointee.empty(cache)
            unsafe cache.pointee.owner = nil
            // Its thread may have been about to see that the lock is not biased to it.
            unsafe cache.leaveBiased()
            unsafe lock.forget(cache)
        }
        unsafe lock.unlock(nil, isBiased: false)
    }

    private func forEachOthersCache(_ body: (UnsafeMutablePointer<tensorpool_thread>, ThreadCachePointer) -> Void) {
        let current = unsafe UnsafeMutableRawPointer(tensorpool_current_thread())
        for index in unsafe state.pointee.caches.indices {
            let cache = unsafe state.pointee.caches[index]
            guard let owner = unsafe cache.pointee.owner, unsafe owner != current else { continue }
            unsafe body(owner.assumingMemoryBound(to: tensorpool_thread.self), cache)
        }
    }
}

extension EngineRegistry {
    /// Keeps all engines and threads still.
    static func beginFork() {
        contents.lock()
        var others = false
        forEachEngine { if $0.beginFork() { others = true } }
        // Where no barrier can be had the base pool could not be made, so this one cannot fail.
        if others && !tensorpool_barrier_all_threads() {
            stopProgram("the memory barrier on all threads was refused")
        }
        forEachEngine { $0.awaitHotPaths() }
    }

    /// Lets them go on.
    static func endFork(isChild: Bool) {
        forEachEngine { $0.endFork(isChild: isChild) }
        contents.unlock()
    }

    /// Calls `body` with each engine. The registry's lock is held.
    private static func forEachEngine(_ body: (Engine) -> Void) {
        for number in unsafe 0..<Int(contents.locked.pointee.used) {
            if let engine = unsafe engines[number] { unsafe body(engine.takeUnretainedValue()) }
        }
    }
}

extension PlanRegistry {
    /// In a child: an owner that does not exist is not in its plan.
    static func forgetDeadOwners() {
        contents.withLock { contents in
            for core in contents.cores.values { core.forgetDeadOwner() }
        }
    }
}
