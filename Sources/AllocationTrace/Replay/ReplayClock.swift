#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The clocks of a replay, in nanoseconds.
@usableFromInline enum ReplayClock {
    /// From an unknown moment, never set back.
    @usableFromInline static var nanoseconds: UInt64 { read(CLOCK_MONOTONIC) }

    /// What the calling thread has had of a processor, in the program and in the system.
    @usableFromInline static var threadProcessorNanoseconds: UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    /// What two readings in a row lie apart: the median of some thousand.
    static var costNanoseconds: UInt64 {
        var distances = (0..<4001).map { _ in
            let first = nanoseconds
            return nanoseconds - first
        }
        distances.sort()
        return distances[distances.count / 2]
    }

    /// Comes back some time after the moment. Threads that wait for long are woken now and then.
    static func sleep(until moment: UInt64) {
        let now = nanoseconds
        guard now < moment else { return }
        let left = min(moment - now, 100_000_000)
        var wish = timespec(tv_sec: 0, tv_nsec: Int(left))
        // Both are locals; nobody wants to know what was left after a signal.
        unsafe nanosleep(&wish, nil)
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        // Fails only for an unknown clock or a bad address.
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
