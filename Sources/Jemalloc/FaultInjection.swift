internal import Synchronization

/// What this package asks of jemalloc and of the system, and may be refused.
package enum BackendCall: Hashable, Sendable, CaseIterable {
    /// `mallocx`.
    case allocation
    /// `xallocx`, whose refusal is that the block stays as it was.
    case resizing
    /// A call of `mallctlbymib`: arenas made, set up and ended, purges, statistics.
    case control
    /// `madvise` for huge or small pages or to give pages back.
    case advice
    /// `madvise` to make pages resident.
    case population
    /// `pthread_key_create` and `pthread_setspecific`.
    case threadKey
    /// `pthread_create` of a thread that looks at memory pressure.
    case thread
    /// `pthread_create` of a thread that helps to make pages resident.
    case populationThread
    /// Memory for the package's own records of blocks, threads and granules.
    case bookkeeping
}

/// Lets a test refuse a ``BackendCall`` that would have succeeded.
///
/// One hook for the process, so tests of it run in a process of their own. All callers are slow paths: unused it costs
/// them a load and a branch.
package enum FaultInjection {
    /// Says whether a call is refused. Called by any thread.
    package typealias Hook = @Sendable (BackendCall) -> Bool

    private static let isActive = Atomic<Bool>(false)
    /// For the lock's sake: see ``Lock``.
    private struct Box: Sendable {
        let ask: Hook
    }

    private static let hook = Lock<Box?>(nil)

    /// Sets who is asked before each call; nil for nobody.
    package static func set(_ newHook: Hook?) {
        hook.withLock { $0 = newHook.map { Box(ask: $0) } }
        isActive.store(newHook != nil, ordering: .releasing)
    }

    /// Whether a test refuses the call that is about to be made.
    @inline(__always)
    package static func refuses(_ call: BackendCall) -> Bool {
        isActive.load(ordering: .relaxed) && isRefusedByHook(call)
    }

    @inline(never)
    private static func isRefusedByHook(_ call: BackendCall) -> Bool {
        let asked = hook.withLock { $0 }
        return asked?.ask(call) ?? false
    }
}
