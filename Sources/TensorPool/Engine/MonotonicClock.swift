#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The monotonic clock, for slow paths and samples only.
enum MonotonicClock {
    /// Nanoseconds since an arbitrary moment.
    static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What two readings one after the other differ by, in nanoseconds: taken off every sample. The median of many.
    static let cost: Double = {
        let differences = (0..<301).map { _ -> UInt64 in
            let first = now()
            return now() - first
        }
        return Double(differences.sorted()[150])
    }()
}
