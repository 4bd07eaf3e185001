import TensorPool
import Testing

/// A pool that every test of what all pools promise runs on.
struct PoolCase: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable (HybridMemoryPool) throws -> any TensorAllocator
    /// How many engines such a pool has beside the base's: what it counts in two is exact in sum, but for peaks.
    let engines: Int

    init(name: String, engines: Int = 1, make: @escaping @Sendable (HybridMemoryPool) throws -> any TensorAllocator) {
        self.name = name
        self.engines = engines
        self.make = make
    }

    var testDescription: String { name }

    /// All of them: a new kind of pool is one line.
    static let all: [PoolCase] =
        [
            PoolCase(name: "base") { $0 },
            PoolCase(name: "standard") { try TensorMemoryPool($0) },
            PoolCase(name: "standard, no cache") {
                try TensorMemoryPool($0, configuration: .init(threadCacheByteLimit: 0, sharedCacheByteLimit: 0))
            },
            PoolCase(name: "optimized") { try OptimizedTensorMemoryPool($0) },
            PoolCase(name: "optimized, bare") { try OptimizedTensorMemoryPool($0, configuration: .bare) },
            PoolCase(name: "adaptive", engines: 2) { try AdaptiveTensorMemoryPool($0) },
            PoolCase(name: "adaptive, forced standard", engines: 2) {
                try AdaptiveTensorMemoryPool($0, strategy: .standard)
            },
            PoolCase(name: "enhanced standard") {
                let pool = try TensorMemoryPool($0)
                try pool.applyPerformanceEnhancements()
                return pool
            },
            PoolCase(name: "optimized, no cache") { try OptimizedTensorMemoryPool($0, configuration: .uncached) },
        ] + profiles + watched + [scrubbing]

    /// Those without debugging modes.
    static let unwatched: [PoolCase] = {
        let names = Set(watched.map(\.name))
        return all.filter { !names.contains($0.name) }
    }()

    /// The five profiles.
    static let profiles: [PoolCase] = [
        PoolCase(name: "inference") { try OptimizedTensorMemoryPool($0, configuration: .inference) },
        PoolCase(name: "training") { try OptimizedTensorMemoryPool($0, configuration: .training) },
        PoolCase(name: "memoryConstrained") { try OptimizedTensorMemoryPool($0, configuration: .memoryConstrained) },
        PoolCase(name: "smallTensors") { try OptimizedTensorMemoryPool($0, configuration: .smallTensors) },
        PoolCase(name: "largeTensors") { try OptimizedTensorMemoryPool($0, configuration: .largeTensors) },
    ]

    /// Pools whose tensors are watched.
    static let watched: [PoolCase] = [
        PoolCase(name: "standard, fill, guard, track") {
            try TensorMemoryPool($0, configuration: .watched("fill,guard,track,leaks"))
        },
        PoolCase(name: "adaptive, guard", engines: 2) {
            var configuration = AdaptiveConfiguration()
            configuration.debugging = try DebugOptions("guard")
            return try AdaptiveTensorMemoryPool($0, configuration: configuration)
        },
        PoolCase(name: "optimized, guard pages for every second") {
            try OptimizedTensorMemoryPool($0, configuration: .watched("pages=1/2"))
        },
        PoolCase(name: "optimized, guard pages for one in 1,024") {
            try OptimizedTensorMemoryPool($0, configuration: .watched("pages=1/2048"))
        },
    ]

    static let scrubbing = PoolCase(name: "optimized, scrub") {
        var configuration = OptimizedTensorPoolConfig.bare
        configuration.scrubOnFree = true
        return try OptimizedTensorMemoryPool($0, configuration: configuration)
    }

    /// One of each kind, for tests that take long.
    static let kinds: [PoolCase] = all.filter { ["base", "standard", "optimized, bare"].contains($0.name) }
    static let everyKind: [PoolCase] =
        kinds + [PoolCase(name: "adaptive, bare", engines: 2) { try AdaptiveTensorMemoryPool.bare($0) }]
}

extension OptimizedTensorPoolConfig {
    /// Nothing prewarmed, small slabs without huge pages: what is reserved follows from what is allocated.
    static var bare: OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig()
        configuration.enablePrewarming = false
        configuration.hugePages = .never
        configuration.slabByteCount = 8 << 20
        return configuration
    }

    /// The same, with debugging modes.
    static func watched(_ words: String) throws -> OptimizedTensorPoolConfig {
        var configuration = bare
        configuration.debugging = try DebugOptions(words)
        return configuration
    }

    /// Nothing kept by threads.
    static var uncached: OptimizedTensorPoolConfig {
        var configuration = bare
        configuration.enableCacheOptimization = false
        return configuration
    }
}

extension AdaptiveTensorMemoryPool {
    /// An adaptive pool that does nothing ahead of time.
    static func bare(_ base: HybridMemoryPool, optimized: OptimizedTensorPoolConfig = .bare) throws(TensorPoolError)
        -> AdaptiveTensorMemoryPool
    {
        var configuration = AdaptiveConfiguration()
        configuration.optimized = optimized
        return try AdaptiveTensorMemoryPool(base, configuration: configuration)
    }
}

extension TensorMemoryPool.Configuration {
    /// The default with debugging modes.
    static func watched(_ words: String) throws -> Self {
        var configuration = Self()
        configuration.debugging = try DebugOptions(words)
        return configuration
    }
}
