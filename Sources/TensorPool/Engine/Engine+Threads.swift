internal import CThreadSlot
internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Whose cache is whose.
///
/// A thread uses its cache without a lock, so who else wants it must know that the thread is not in it. The wish is
/// rare (statistics, trim, the end of a pool) and the use is not, so the whole cost is on the side of the wish:
///
///     owner                                another thread, holding the lock
///     busy = 1                             entry = the cache that keeps nothing
///     (nothing: a compiler fence)          a memory barrier on all threads of the process
///     cache = entry                        wait until busy == 0
///     ... use it; a miss: slow path ...    ... the cache is mine ...
///                                          entry = cache
///     busy = 0
///
/// Either the owner's store of `busy` is before the barrier, and is seen; or its load of `entry` is after it, and finds
/// nothing in what it names.
extension Engine {
    /// The calling thread's cache as its table has it: nil before its first need, and while another thread keeps this one
    /// out of it.
    @inline(__always)
    var ownCache: ThreadCachePointer? {
        unsafe tensorpool_load_entry(tensorpool_current_thread(), number)?.assumingMemoryBound(to: ThreadCache.self)
    }

    /// The calling thread's cache, made at its first need; nil where a thread cannot have one. Lock held.
    func currentCache(_ state: inout EngineState) -> ThreadCachePointer? {
        if state.isClosed || !state.configuration.keepsThreadCaches { return nil }
        let thread = unsafe tensorpool_current_thread()
        if let entry = unsafe tensorpool_load_entry(thread, number) {
            return unsafe entry.assumingMemoryBound(to: ThreadCache.self)
        }
        guard EngineRegistry.prepareThread() else { return nil }
        let owner = UnsafeMutableRawPointer(thread)
        let cache: ThreadCachePointer
        if let idle = unsafe state.caches.first(where: { unsafe $0.pointee.owner == nil }) {
            unsafe cache = unsafe idle
        } else {
            guard unsafe state.caches.count < RecordStatus.noOwner else { return nil }
            guard let made = unsafe ThreadCachePointer.make(ordinal: state.caches.count, engine: self) else {
                return nil
            }
            unsafe cache = unsafe made
            unsafe state.caches.append(cache)
            state.inboxes.append([])
            let records = unsafe cache.bin(CacheLayout.recordBin)
            unsafe records.pointee.limit = records.pointee.capacity
        }
        unsafe cache.pointee.owner = owner
        unsafe tensorpool_store_entry(thread, number, cache)
        return unsafe cache
    }

    /// Called when the thread exits: its cached blocks go back, its cache waits for another thread.
    func detachCurrentThread() {
        withStateToForget { state in
            let thread = unsafe tensorpool_current_thread()
            guard let entry = unsafe tensorpool_load_entry(thread, number) else { return }
            unsafe tensorpool_store_entry(thread, number, nil)
            let cache = unsafe entry.assumingMemoryBound(to: ThreadCache.self)
            unsafe state.drainInbox(of: cache, into: cache)
            unsafe state.empty(cache)
            unsafe cache.pointee.owner = nil
            unsafe lock.forget(cache)
        }
    }

    /// Calls `body` with every cache that a thread has, while all threads are kept out of theirs. Lock held.
    func quiesce(
        _ state: inout EngineState, keepingEntries: Bool = true,
        _ body: (inout EngineState, ThreadCachePointer) -> Void
    ) {
        exclude(&state, keepingEntries: keepingEntries) { state in
            for index in unsafe state.caches.indices {
                let cache = unsafe state.caches[index]
                if unsafe cache.pointee.owner != nil { unsafe body(&state, cache) }
            }
        }
    }

    /// Calls `body` once all threads are kept out of their caches and these are settled. Lock held.
    func exclude<Result>(
        _ state: inout EngineState, keepingEntries: Bool = true, _ body: (inout EngineState) -> Result
    ) -> Result {
        let current = unsafe UnsafeMutableRawPointer(tensorpool_current_thread())
        let owned = unsafe state.caches.filter { unsafe $0.pointee.owner != nil }
        var others = false
        for index in unsafe owned.indices {
            let owner = unsafe owned[index].pointee.owner!
            if unsafe owner != current { others = true }
            unsafe tensorpool_store_entry(owner.assumingMemoryBound(to: tensorpool_thread.self), number, nil)
        }
        // Where no barrier can be had the base pool could not be made, so this one cannot fail.
        if others && !tensorpool_barrier_all_threads() {
            stopProgram("the memory barrier on all threads was refused")
        }
        for index in unsafe owned.indices {
            let thread = unsafe owned[index].pointee.owner!.assumingMemoryBound(to: tensorpool_thread.self)
            // A hot path is a few nanoseconds long, unless its thread was interrupted in the middle of it.
            while unsafe tensorpool_is_busy(thread) { sched_yield() }
            unsafe state.drainInbox(of: owned[index], into: owned[index])
            unsafe state.settle(owned[index])
        }
        let result = body(&state)
        guard keepingEntries else { return result }
        for index in unsafe owned.indices {
            let thread = unsafe owned[index].pointee.owner!.assumingMemoryBound(to: tensorpool_thread.self)
            unsafe tensorpool_store_entry(thread, number, owned[index])
        }
        return result
    }
}
