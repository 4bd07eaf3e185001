/// Makes the pool that suits this machine.
public enum TensorPoolMigrationHelper {
    /// Sizes that the calibration tries: what an adaptive pool would otherwise have to measure as it goes.
    static let sizes = [
        48 << 10, 64 << 10, 96 << 10, 128 << 10, 192 << 10, 256 << 10, 384 << 10, 512 << 10, 768 << 10, 1 << 20,
    ]
    /// Timed pairs of each size in each strategy.
    static let repetitions = 9

    /// Measures both strategies on this machine for a few milliseconds, and makes an adaptive pool that starts with
    /// what was found.
    ///
    /// Each size from 48 KiB to 1 MiB is timed ten times in each strategy, in turn, as the pool times it itself, on a base of its
    /// own, of a few mebibytes and outside the given one's limit; the medians decide where the pool sends that size until its own measurements say otherwise.
    ///
    /// - Throws: What the pools throw on construction.
    public static func createBestPerformancePool(
        _ base: HybridMemoryPool, configuration: AdaptiveConfiguration = AdaptiveConfiguration()
    ) throws(TensorPoolError) -> AdaptiveTensorMemoryPool {
        let pool = try AdaptiveTensorMemoryPool(base, configuration: configuration)
        let bench = try HybridMemoryPool(
            configuration: .init(decayMilliseconds: base.configuration.decayMilliseconds))
        var quiet = configuration.optimized
        quiet.enablePrewarming = false
        let standard = try TensorMemoryPool(bench, configuration: configuration.standard)
        let optimized = try OptimizedTensorMemoryPool(bench, configuration: quiet)
        for byteCount in sizes {
            var given: [Double] = []
            var kept: [Double] = []
            for _ in 0...repetitions {
                given.append(try time(standard.front.engine, byteCount))
                kept.append(try time(optimized.front.engine, byteCount))
            }
            // The first, cold call of each is set aside.
            pool.routes.seed(
                byteCount: byteCount, standard: median(given.dropFirst()), optimized: median(kept.dropFirst()))
        }
        return pool
    }

    private static func time(_ engine: Engine, _ byteCount: Int) throws(TensorPoolError) -> Double {
        guard let cost = engine.timePair(byteCount: byteCount) else { throw .outOfMemory(byteCount: byteCount) }
        return cost.nanoseconds
    }

    private static func median(_ values: some Sequence<Double>) -> Double {
        let sorted = values.sorted()
        return sorted[sorted.count / 2]
    }
}

extension AdaptiveTensorMemoryPool {
    /// Allocates a tensor in the strategy that suits it: the guide's unified interface, another name of
    /// ``allocateTensor(id:byteCount:device:isModelWeight:isTemporary:)``.
    @inlinable @inline(__always)
    public func allocateTensorAuto(
        id: UInt64, byteCount: Int, device: TensorDevice, isModelWeight: Bool, isTemporary: Bool
    ) throws(TensorPoolError) -> MemoryHandle {
        try allocateTensor(
            id: id, byteCount: byteCount, device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
    }
}
