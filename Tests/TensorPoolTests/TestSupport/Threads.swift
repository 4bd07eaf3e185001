import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A thread of the system that can be waited for until its thread-local destructors have run.
struct SystemThread: @unchecked Sendable {
    private let thread: pthread_t

    /// Starts `body` on a thread of its own.
    init(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let argument = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        #if canImport(Darwin)
        var thread: pthread_t?
        let failed = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, argument)
        precondition(failed == 0)
        unsafe self.thread = unsafe thread!
        #else
        var thread = pthread_t()
        let failed = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, argument)
        precondition(failed == 0)
        self.thread = thread
        #endif
    }

    /// Waits until the thread is gone.
    func join() {
        let failed = pthread_join(thread, nil)
        precondition(failed == 0)
    }
}

/// Runs `body` on another thread and waits until that is gone.
func onAnotherThread(_ body: @escaping @Sendable () -> Void) { SystemThread(body).join() }

/// Runs `body` on `count` threads that start together, and waits until they are gone.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let gate = Gate()
    let threads = (0..<count).map { index in
        SystemThread {
            gate.wait()
            body(index)
        }
    }
    gate.open()
    for thread in threads { thread.join() }
}

/// Waits without sleeping, so that two threads go on at the same instant; other threads are let in now and then.
func spin(until condition: () -> Bool) {
    var turns = 0
    while !condition() {
        turns += 1
        if turns % 500 == 0 { sched_yield() }
    }
}

/// What threads wait at until it is opened.
final class Gate: @unchecked Sendable {
    private let condition = NSCondition()
    private var isOpen = false

    func open() {
        condition.lock()
        isOpen = true
        condition.broadcast()
        condition.unlock()
    }

    func wait() {
        condition.lock()
        while !isOpen { condition.wait() }
        condition.unlock()
    }

    /// Waits no longer than `seconds`. Whether the gate is open.
    func wait(seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while !isOpen { if !condition.wait(until: end) { return isOpen } }
        return true
    }
}
