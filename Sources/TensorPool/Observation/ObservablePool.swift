/// A pool that tells about its work: metrics, recommendations, and which tensors live.
public protocol ObservablePool: TensorAllocator {
    /// The engines at work in the pool.
    var engines: PoolEngines { get }
}

/// The engines at work in a pool, for what this library asks of them.
public struct PoolEngines: Sendable {
    let all: [Engine]
}

extension TensorMemoryPool: ObservablePool {
    /// The engine of the standard strategy.
    public var engines: PoolEngines { PoolEngines(all: [front.engine]) }
}

extension OptimizedTensorMemoryPool: ObservablePool {
    /// The engine of the optimized strategy.
    public var engines: PoolEngines { PoolEngines(all: [front.engine]) }
}

extension AdaptiveTensorMemoryPool: ObservablePool {
    /// The engines of both strategies.
    public var engines: PoolEngines { PoolEngines(all: [standardFront.engine, optimizedFront.engine]) }
}

extension HybridMemoryPool: ObservablePool {
    /// The engines of the base and of all pools on it.
    public var engines: PoolEngines { PoolEngines(all: memory.engines()) }
}
