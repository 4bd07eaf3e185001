internal import Dispatch

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The threads of a concurrent replay, which do their parts of a round together, round after round.
///
/// They stay, so that what an allocator keeps for a thread is there in the next round. Thread-safety: one user at a time.
@usableFromInline final class ReplayCrew {
    private let members: [ReplayThread]

    init(count: Int) throws(ReplayError) {
        var members: [ReplayThread] = []
        for _ in 0..<count {
            do throws(ReplayError) {
                members.append(try ReplayThread())
            } catch {
                for member in members { member.end() }
                throw error
            }
        }
        self.members = members
    }

    deinit {
        for member in members { member.end() }
    }

    /// Runs `part` on every thread with the thread's number, and waits until all are done.
    @usableFromInline func run(_ part: @escaping (_ lane: Int) -> Void) {
        for (lane, member) in members.enumerated() { member.start { part(lane) } }
        for member in members { member.finish() }
    }
}

/// A thread that does one thing after the other. Only its crew's user talks to it.
@safe private final class ReplayThread: @unchecked Sendable {
    /// Enough for an allocator's slow paths: what a round needs does not depend on the trace.
    private static let stackBytes = 1 << 20

    private let wanted = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)
    /// Nil ends the thread. Written while the thread waits for `wanted`.
    private var work: (() -> Void)?
    #if canImport(Glibc)
    private var thread = pthread_t()
    #else
    private var thread: pthread_t?
    #endif

    init() throws(ReplayError) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, Self.stackBytes)
        // Balanced by the thread, or below where there is none.
        let own = unsafe Unmanaged.passRetained(self)
        let failure = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                #if canImport(Glibc)
                let argument = unsafe argument!
                #endif
                unsafe Unmanaged<ReplayThread>.fromOpaque(argument).takeRetainedValue().loop()
                return nil
            }, own.toOpaque())
        guard failure == 0 else {
            unsafe own.release()
            throw .threadRefused(reason: unsafe String(cString: strerror(failure)))
        }
    }

    func start(_ work: @escaping () -> Void) {
        self.work = work
        wanted.signal()
    }

    func finish() { done.wait() }

    /// Waits until the thread is gone, and what the allocator kept for it.
    func end() {
        work = nil
        wanted.signal()
        #if canImport(Glibc)
        pthread_join(thread, nil)
        #else
        if let thread = unsafe thread { unsafe pthread_join(thread, nil) }
        #endif
    }

    private func loop() {
        while true {
            wanted.wait()
            guard let work else { return }
            work()
            self.work = nil
            done.signal()
        }
    }
}
