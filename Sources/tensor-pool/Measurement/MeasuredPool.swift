import TensorPool

/// A pool that the commands measure, on a base of its own.
protocol MeasuredPool: ObservablePool {
    static var name: PoolName { get }

    /// Makes the base and the pool.
    /// - Parameters:
    ///   - isPrewarmed: false to leave out what the configuration makes ready ahead of time.
    ///   - configuration: nil for the default.
    static func make(isPrewarmed: Bool, configuration: PoolConfiguration?) throws -> Self
}

extension MeasuredPool {
    /// Makes the base and the pool in its default configuration.
    static func make(isPrewarmed: Bool) throws -> Self { try make(isPrewarmed: isPrewarmed, configuration: nil) }
}

/// A configuration file that is another pool's.
struct OtherPoolsConfiguration: Error, CustomStringConvertible {
    let wanted: PoolName
    let found: PoolName

    var description: String {
        "the configuration is of the \(found.rawValue) pool, not of the \(wanted.rawValue) pool: "
            + "give --pool \(found.rawValue)"
    }
}

extension PoolConfiguration {
    /// Whose configuration it is.
    var pool: PoolName {
        switch self {
        case .standard: .standard
        case .optimized: .optimized
        case .adaptive: .adaptive
        }
    }
}

/// The pools of this package, as the commands name them.
enum PoolName: String, CaseIterable, Codable {
    case standard
    case optimized
    case adaptive
}

extension TensorMemoryPool: MeasuredPool {
    static var name: PoolName { .standard }

    /// It prewarms nothing.
    static func make(isPrewarmed: Bool, configuration: PoolConfiguration?) throws -> TensorMemoryPool {
        guard let configuration else { return try TensorMemoryPool(HybridMemoryPool()) }
        guard case .standard(let settings) = configuration else {
            throw OtherPoolsConfiguration(wanted: name, found: configuration.pool)
        }
        return try TensorMemoryPool(HybridMemoryPool(), configuration: settings)
    }
}

extension OptimizedTensorMemoryPool: MeasuredPool {
    static var name: PoolName { .optimized }

    static func make(isPrewarmed: Bool, configuration: PoolConfiguration?) throws -> OptimizedTensorMemoryPool {
        var settings = OptimizedTensorPoolConfig()
        if let configuration {
            guard case .optimized(let given) = configuration else {
                throw OtherPoolsConfiguration(wanted: name, found: configuration.pool)
            }
            settings = given
        }
        if !isPrewarmed { settings.enablePrewarming = false }
        return try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: settings)
    }
}

extension AdaptiveTensorMemoryPool: MeasuredPool {
    static var name: PoolName { .adaptive }

    static func make(isPrewarmed: Bool, configuration: PoolConfiguration?) throws -> AdaptiveTensorMemoryPool {
        var settings = AdaptiveConfiguration()
        if let configuration {
            guard case .adaptive(let given) = configuration else {
                throw OtherPoolsConfiguration(wanted: name, found: configuration.pool)
            }
            settings = given
        }
        if !isPrewarmed { settings.optimized.enablePrewarming = false }
        return try AdaptiveTensorMemoryPool(HybridMemoryPool(), configuration: settings)
    }
}
