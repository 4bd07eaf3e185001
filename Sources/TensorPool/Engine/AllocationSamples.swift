/// What sampled allocations told: how long a hit and a miss take, and, where asked for, how long tensors live.
struct AllocationSamples: Sendable {
    /// Nanoseconds of sampled allocations, the clock's own cost taken off, by path.
    struct Timing: Sendable {
        var count = 0
        var nanoseconds = 0.0

        var average: Double { count > 0 ? nanoseconds / Double(count) : 0 }

        mutating func add(_ sample: Double) {
            count += 1
            nanoseconds += max(0, sample)
        }

        mutating func add(_ other: Timing) {
            count += other.count
            nanoseconds += other.nanoseconds
        }
    }

    /// A sampled tensor that is still live.
    struct Birth: Sendable {
        var nanoseconds: UInt64
        var byteCount: Int
    }

    /// Lifetimes of one category.
    struct Lifetimes: Sendable {
        var count = 0
        var nanoseconds = 0.0
        var longestNanoseconds = 0.0
        var byteCount = 0
    }

    /// How many sampled tensors are followed at one time.
    static let capacity = 1024

    var hit = Timing()
    /// Misses served from memory that the pool held.
    var miss = Timing()
    /// Allocations that needed new memory: few and slow, so they are weighed by their own count.
    var growth = Timing()
    var births: [UInt: Birth] = [:]
    var lifetimes = [Lifetimes](repeating: Lifetimes(), count: TensorSizeCategory.allCases.count)

    mutating func born(_ address: UnsafeMutableRawPointer, byteCount: Int, now: UInt64) -> Bool {
        guard births.count < Self.capacity else { return false }
        births[UInt(bitPattern: address)] = Birth(nanoseconds: now, byteCount: byteCount)
        return true
    }

    mutating func died(_ address: UnsafeMutableRawPointer, now: UInt64) {
        guard let birth = births.removeValue(forKey: UInt(bitPattern: address)) else { return }
        let lived = Double(now - birth.nanoseconds)
        let category = TensorSizeCategory(byteCount: birth.byteCount).rawValue
        lifetimes[category].count += 1
        lifetimes[category].nanoseconds += lived
        lifetimes[category].longestNanoseconds = max(lifetimes[category].longestNanoseconds, lived)
        lifetimes[category].byteCount += birth.byteCount
    }
}
