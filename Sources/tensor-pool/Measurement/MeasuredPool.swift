import TensorPool

/// A pool that the commands measure: in its default configuration, on a base of its own.
protocol MeasuredPool: ObservablePool {
    static var name: PoolName { get }

    /// Makes the base and the pool.
    /// - Parameter isPrewarmed: false to leave out what the default configuration makes ready ahead of time.
    static func make(isPrewarmed: Bool) throws -> Self
}

/// The pools of this package, as the commands name them.
enum PoolName: String, CaseIterable, Codable {
    case standard
    case optimized
    case adaptive
}

extension TensorMemoryPool: MeasuredPool {
    static var name: PoolName { .standard }

    /// Its default configuration prewarms nothing.
    static func make(isPrewarmed: Bool) throws -> TensorMemoryPool { try TensorMemoryPool(HybridMemoryPool()) }
}

extension OptimizedTensorMemoryPool: MeasuredPool {
    static var name: PoolName { .optimized }

    static func make(isPrewarmed: Bool) throws -> OptimizedTensorMemoryPool {
        var configuration = OptimizedTensorPoolConfig()
        if !isPrewarmed { configuration.enablePrewarming = false }
        return try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
    }
}

extension AdaptiveTensorMemoryPool: MeasuredPool {
    static var name: PoolName { .adaptive }

    static func make(isPrewarmed: Bool) throws -> AdaptiveTensorMemoryPool {
        var configuration = AdaptiveConfiguration()
        if !isPrewarmed { configuration.optimized.enablePrewarming = false }
        return try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
    }
}
