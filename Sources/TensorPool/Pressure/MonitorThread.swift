internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A thread of the system that takes no signals.
@safe package struct MonitorThread: @unchecked Sendable {
    private let thread: pthread_t
    private let process = getpid()

    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts `body`; nil where the system refuses a thread.
    package init?(_ body: @escaping @Sendable () -> Void) {
        if FaultInjection.refuses(.thread) { return nil }
        let work = unsafe Unmanaged.passRetained(Work(body))
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        // The thread starts with its maker's mask: the program's handlers stay on the program's threads.
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        #if canImport(Darwin)
        var thread: pthread_t?
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard failure == 0, let thread else {
            unsafe work.release()
            return nil
        }
        unsafe self.thread = thread
        #else
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                }
                return nil
            }, work.toOpaque())
        guard failure == 0 else {
            unsafe work.release()
            return nil
        }
        self.thread = thread
        #endif
    }

    /// Whether this is the process that started the thread, and not a forked child, which does not have it.
    var isOfThisProcess: Bool { getpid() == process }

    /// Waits until the thread is gone; called by the thread itself, lets it go alone. In a forked child, where the
    /// thread does not exist, does nothing.
    package func finish() {
        guard isOfThisProcess else { return }
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }
}
