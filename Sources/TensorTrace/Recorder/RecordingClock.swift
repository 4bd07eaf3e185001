internal import CThreadSlot

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The clocks of a recording.
enum RecordingClock {
    /// Nanoseconds since 1970-01-01 00:00 UTC.
    static func unixTime() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// Nanoseconds of the monotonic clock.
    static func monotonicTime() -> Int64 { Int64(tensorpool_monotonic_nanoseconds()) }

    /// What the counter and the clock say at one moment: of some readings, the one that took least.
    static func anchor() -> TickTimeline.Anchor {
        var best = TickTimeline.Anchor(ticks: 0, time: 0)
        var least = UInt64.max
        for _ in 0..<5 {
            let before = tensorpool_ticks_after()
            let time = monotonicTime()
            let taken = tensorpool_ticks_after() &- before
            guard taken < least else { continue }
            least = taken
            best = TickTimeline.Anchor(ticks: before &+ taken / 2, time: time)
        }
        return best
    }
}
