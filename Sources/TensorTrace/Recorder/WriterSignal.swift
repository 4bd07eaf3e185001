internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// How a recording's threads and its writer tell each other what they wait for.
///
/// Safe: it owns the lock and the conditions, and `state` is touched under the lock alone.
@safe final class WriterSignal: @unchecked Sendable {
    /// What the writer is asked for, and how far it is.
    struct State {
        var isWoken = false
        var isStopped = false
        /// Flushes asked for so far, and how many of these are done.
        var requestedFlushes = 0
        var finishedFlushes = 0
        var failure: TraceRecorderError?
        /// There once the file is closed.
        var result: Result<TraceRecorderResult, TraceRecorderError>?
    }

    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let forWriter: UnsafeMutablePointer<pthread_cond_t>
    private let forOthers: UnsafeMutablePointer<pthread_cond_t>
    private var state = State()
    private let isWaking = Atomic(false)

    init() {
        // They stay where they are until deinit; initialisation cannot fail with these attributes.
        unsafe lock = .allocate(capacity: 1)
        unsafe forWriter = .allocate(capacity: 1)
        unsafe forOthers = .allocate(capacity: 1)
        unsafe pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        #if !canImport(Darwin)
        unsafe pthread_condattr_setclock(&attributes, Self.clock)
        #endif
        unsafe pthread_cond_init(forWriter, &attributes)
        unsafe pthread_cond_init(forOthers, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(forOthers)
        unsafe pthread_cond_destroy(forWriter)
        unsafe pthread_mutex_destroy(lock)
        unsafe forOthers.deallocate()
        unsafe forWriter.deallocate()
        unsafe lock.deallocate()
    }

    #if canImport(Darwin)
    /// Waits are by the wall clock, the only one that conditions have here. Where it is set, one wait is longer or shorter.
    private static let clock = CLOCK_REALTIME
    #else
    /// Waits are by a clock that nobody sets.
    private static let clock = CLOCK_MONOTONIC
    #endif

    private func withState<Value>(_ body: (inout State) -> Value) -> Value {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return body(&state)
    }

    /// Tells the writer that a buffer fills up. A load where somebody told it already.
    func wake() {
        guard !isWaking.load(ordering: .relaxed), !isWaking.exchange(true, ordering: .acquiringAndReleasing) else {
            return
        }
        withState { $0.isWoken = true }
        unsafe pthread_cond_signal(forWriter)
    }

    /// Writer: waits for work, no longer than that, and says what is wanted.
    func awaitWork(atMost interval: Duration) -> (flushes: Int, isStopped: Bool) {
        let wanted = unsafe wait(forWriter, atMost: interval) {
            $0.isWoken || $0.isStopped || $0.requestedFlushes > $0.finishedFlushes
        } then: { state in
            state.isWoken = false
            return (state.requestedFlushes, state.isStopped)
        }
        isWaking.store(false, ordering: .releasing)
        return wanted
    }

    /// Writer: so many flushes are done.
    func report(flushes: Int, failure: TraceRecorderError?) {
        withState { state in
            state.finishedFlushes = flushes
            state.failure = failure
        }
        unsafe pthread_cond_broadcast(forOthers)
    }

    /// Writer: the file is closed.
    func report(_ result: Result<TraceRecorderResult, TraceRecorderError>) {
        withState { $0.result = result }
        unsafe pthread_cond_broadcast(forOthers)
    }

    /// Asks for a flush and waits for it; says why it failed.
    func requestFlush() -> TraceRecorderError? {
        let wanted = withState { state in
            state.requestedFlushes += 1
            return state.requestedFlushes
        }
        unsafe pthread_cond_signal(forWriter)
        return unsafe wait(forOthers, atMost: nil) {
            $0.finishedFlushes >= wanted || $0.result != nil
        } then: { state in
            guard case .failure(let error) = state.result else { return state.failure }
            return error
        }
    }

    /// Asks for the end and waits for it, no longer than that; nil where it did not come.
    func requestStop(atMost patience: Duration?) -> Result<TraceRecorderResult, TraceRecorderError>? {
        withState { $0.isStopped = true }
        unsafe pthread_cond_signal(forWriter)
        return unsafe wait(forOthers, atMost: patience) {
            $0.result != nil
        } then: {
            $0.result
        }
    }

    private func wait<Value>(
        _ condition: UnsafeMutablePointer<pthread_cond_t>, atMost limit: Duration?, until isMet: (State) -> Bool,
        then body: (inout State) -> Value
    ) -> Value {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        var deadline = timespec()
        if let limit {
            unsafe clock_gettime(Self.clock, &deadline)
            let (seconds, nanoseconds) = limit.wholeSecondsAndNanoseconds
            deadline.tv_sec += seconds + (deadline.tv_nsec + nanoseconds) / 1_000_000_000
            deadline.tv_nsec = (deadline.tv_nsec + nanoseconds) % 1_000_000_000
        }
        while !isMet(state) {
            if limit == nil {
                unsafe pthread_cond_wait(condition, lock)
            } else if unsafe pthread_cond_timedwait(condition, lock, &deadline) == ETIMEDOUT {
                break
            }
        }
        return body(&state)
    }
}

extension Duration {
    fileprivate var wholeSecondsAndNanoseconds: (Int, Int) {
        (Int(components.seconds), Int(components.attoseconds / 1_000_000_000))
    }
}
