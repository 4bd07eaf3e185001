#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The clocks of a recording.
@usableFromInline enum RecordingClock {
    /// Nanoseconds of the monotonic clock, the same on all threads.
    @usableFromInline static func now() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970-01-01 00:00 UTC.
    static func unixTime() -> Int64 { read(CLOCK_REALTIME) }

    @inline(__always)
    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
