/// Threads that went quiet.
///
/// A thread that allocates nothing cannot give up what its cache keeps, and others could use it. So now and then, when a
/// thread's bins are swept and the last look was a second ago, it looks at all others: who did nothing since then has its
/// cache emptied into depot and heap, where it stays warm. That keeps all threads off their hot paths for a barrier, once a
/// second; a program with one thread never does it.
extension Engine {
    /// Empties the caches of threads that did nothing since the last call. Lock held.
    func scavengeQuietThreads(_ state: inout EngineState) {
        state.isQuietLookDue = false
        let own = unsafe ownCache
        unsafe quiesce(&state) { state, cache in
            let uses = unsafe cache.useCount
            if unsafe cache != own && uses == cache.pointee.usesAtLook { unsafe state.empty(cache) }
            unsafe cache.pointee.usesAtLook = uses
        }
    }
}

extension EngineState {
    /// Says that the time for a look at quiet threads has come, if it has.
    mutating func noteQuietLook() {
        guard unsafe caches.count > 1 else { return }
        let now = MonotonicClock.now()
        guard now - lastQuietLook >= quietInterval else { return }
        lastQuietLook = now
        isQuietLookDue = true
    }
}

extension UnsafeMutablePointer where Pointee == ThreadCache {
    /// Allocations and frees of the thread, all bins together.
    fileprivate var useCount: Int {
        (0..<CacheLayout.recordBin).reduce(0) { unsafe $0 &+ bin($1).pointee.allocations &+ bin($1).pointee.frees }
    }
}
