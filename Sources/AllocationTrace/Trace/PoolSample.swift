/// What a pool held at one moment of a recording.
public struct PoolSample: Sendable, Equatable {
    /// In nanoseconds, from the same moment as the times of events.
    public var time: Int64
    /// Requested bytes of tensors that were not freed.
    public var liveBytes: Int
    /// Bytes freed and kept for the next tensor.
    public var cachedBytes: Int
    /// All bytes that the pool held.
    public var reservedBytes: Int

    /// A sample of these figures.
    public init(time: Int64, liveBytes: Int, cachedBytes: Int, reservedBytes: Int) {
        self.time = time
        self.liveBytes = liveBytes
        self.cachedBytes = cachedBytes
        self.reservedBytes = reservedBytes
    }
}

/// Samples in memory of bounded size: where there are too many, every second one of those that are there goes.
struct PoolSamples {
    /// 8 MiB of them: at four a second those of 18 hours before the first go.
    static let maximumCount = 1 << 18

    private var samples: [PoolSample] = []

    mutating func append(_ sample: PoolSample) {
        if samples.count == Self.maximumCount {
            samples = stride(from: 0, to: samples.count, by: 2).map { samples[$0] }
        }
        samples.append(sample)
    }

    /// In order of time, which counts from `start`; what was before it is at 0.
    func from(_ start: Int64) -> [PoolSample] {
        samples.compactMap { sample in
            let (time, overflow) = sample.time.subtractingReportingOverflow(start)
            guard !overflow else { return nil }
            var moved = sample
            moved.time = max(0, time)
            return moved
        }
        .sorted { $0.time < $1.time }
    }
}
