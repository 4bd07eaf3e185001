internal import Jemalloc
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where the monitor's thread sleeps: until it is woken, the kernel tells of a stall, or time is up.
final class PressureWaiter: Sendable {
    enum Reason: Sendable, Hashable {
        case timeIsUp
        case stall
        case woken
    }

    private let isAbandoned = Atomic(false)
    private let readEnd: Int32
    private let writeEnd: Int32
    /// Empty where there is no trigger, or it went away.
    private let trigger: Lock<StallTrigger?>

    /// Whether the kernel tells of stalls.
    var hasTrigger: Bool { trigger.withLock { $0 != nil } }

    init(trigger: consuming StallTrigger?) throws(TensorPoolError) {
        var ends: (Int32, Int32) = (-1, -1)
        let failed = unsafe withUnsafeMutableBytes(of: &ends) { ends in
            unsafe pipe(ends.assumingMemoryBound(to: Int32.self).baseAddress!)
        }
        guard failed == 0 else { throw .unsupportedSystem("a pipe for the monitor: no file descriptor is left") }
        for end in [ends.0, ends.1] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (readEnd, writeEnd) = ends
        self.trigger = Lock(trigger)
    }

    deinit { abandon() }

    /// Closes this process's descriptors. Before the end only in a forked child, which does not have the thread that
    /// waits and keeps this alive; the parent's stay open.
    func abandon() {
        guard !isAbandoned.exchange(true, ordering: .relaxed) else { return }
        close(readEnd)
        close(writeEnd)
        trigger.withLock { $0 = nil }
    }

    /// Ends a wait, this one or the next.
    func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes as well.
        _ = unsafe write(writeEnd, &byte, 1)
    }

    /// Sleeps. One thread at a time may.
    func wait(_ duration: Duration) -> Reason {
        let end = MonotonicClock.now().addingReportingOverflow(duration.wholeNanoseconds).partialValue
        while true {
            let now = MonotonicClock.now()
            if now >= end { return .timeIsUp }
            let (descriptor, events) = trigger.withLock { trigger in
                if let descriptor = trigger?.descriptor { (descriptor, trigger?.events ?? 0) } else { (-1, 0) }
            }
            // A negative descriptor is left out by poll(2).
            var polled = [
                pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: events, revents: 0),
            ]
            let milliseconds = (end - now) / 1_000_000 + 1
            let count = unsafe poll(&polled, 2, Int32(clamping: milliseconds))
            if count < 0 && errno != EINTR {
                // Out of kernel memory, perhaps: sleep without poll rather than spin.
                _ = usleep(useconds_t(min(milliseconds, 100)) * 1000)
            }
            guard count > 0 else { continue }
            if polled[0].revents != 0 {
                drain()
                return .woken
            }
            if polled[1].revents & events != 0 { return .stall }
            // The trigger's file is gone: from now on time alone counts.
            if polled[1].revents != 0 { trigger.withLock { $0 = nil } }
        }
    }

    private func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while unsafe read(readEnd, &bytes, bytes.count) > 0 {}
    }
}
