/// How an adaptive pool is set up.
///
/// Between ``standardCeiling`` and ``optimizedFloor`` each size bin is decided by measurement. A size starts optimized, as
/// part of one heap with all others: that holds less than two heaps. Once it was asked for ``minimumUses`` times off the hot path it
/// repeats, and allocations of it are timed in both strategies, the page faults of memory that was given back included (of
/// four pages, for as many as there are), each weighed by how often the thread's cache could not serve the size; the first, cold
/// call of each is set aside. Medians of the last eight are compared: optimized
/// must save ``nanosecondsPerIdlePage`` for every 4 KiB page it keeps idle between two uses. The route changes when three
/// comparisons in a row say so. The comparison is made again after 64 visits, then 128, 256, ... as long as it changes nothing;
/// where measuring has cost as much as it may, 1,024 visits later.
public struct AdaptiveConfiguration: Sendable, Hashable {
    /// How the standard strategy is set up: with a shared cache of 16 MiB, for all small tensors of a working set stand in it.
    public var standard = TensorMemoryPool.Configuration(threadCacheByteLimit: 1 << 20, sharedCacheByteLimit: 16 << 20)
    /// How the optimized strategy is set up.
    public var optimized = OptimizedTensorPoolConfig()
    /// The most bytes that both strategies may hold together, within the base's limit; each may have a limit of its own
    /// in its configuration. Nil for none. Never exceeded, by any thread, for any instant.
    public var byteLimit: Int?
    /// Tensors up to this many bytes are standard: 32 KiB, the most the standard pool caches.
    public var standardCeiling = 32 << 10
    /// Tensors of more bytes than this are optimized: 1 MiB.
    public var optimizedFloor = 1 << 20
    /// Temporary tensors up to this many bytes are standard: 64 KiB, the end of ``TensorSizeCategory/small``.
    public var temporaryCeiling = 64 << 10
    /// How often a size must be asked for before it counts as repeating.
    public var minimumUses = 4
    /// Nanoseconds that keeping a 4 KiB page idle must save per use to be worth it.
    public var nanosecondsPerIdlePage = 1.0

    /// What is looked for in the way the program uses tensors of either strategy, beside what their own configurations
    /// and `TENSOR_POOL_DEBUG` ask for.
    public var debugging = DebugOptions()
    /// Whether tensors of either strategy are overwritten with zeros when they are freed; see
    /// ``OptimizedTensorPoolConfig/scrubOnFree``.
    public var scrubOnFree = false

    /// Makes the default configuration.
    public init() {}

    /// For inference: ``OptimizedTensorPoolConfig/inference`` behind the routes.
    public static var inference: AdaptiveConfiguration { AdaptiveConfiguration(optimized: .inference) }
    /// For training: ``OptimizedTensorPoolConfig/training`` behind the routes.
    public static var training: AdaptiveConfiguration { AdaptiveConfiguration(optimized: .training) }
    /// For little memory: idle pages count eight times as dear, and ``OptimizedTensorPoolConfig/memoryConstrained``.
    public static var memoryConstrained: AdaptiveConfiguration {
        var configuration = AdaptiveConfiguration(optimized: .memoryConstrained)
        configuration.nanosecondsPerIdlePage = 8
        return configuration
    }
    /// For small tensors: ``OptimizedTensorPoolConfig/smallTensors`` behind the routes, and a larger standard cache.
    public static var smallTensors: AdaptiveConfiguration {
        var configuration = AdaptiveConfiguration(optimized: .smallTensors)
        configuration.standard = TensorMemoryPool.Configuration(
            threadCacheByteLimit: 4 << 20, sharedCacheByteLimit: 4 << 20)
        return configuration
    }
    /// For large tensors: ``OptimizedTensorPoolConfig/largeTensors`` behind the routes.
    public static var largeTensors: AdaptiveConfiguration { AdaptiveConfiguration(optimized: .largeTensors) }

    private init(optimized: OptimizedTensorPoolConfig) { self.optimized = optimized }

    /// Whether a size is the largest of its bin.
    private static func isBound(_ byteCount: Int) -> Bool {
        if byteCount == 0 { return true }
        if byteCount > SizeClass.maximumByteCount { return byteCount % Granule.byteCount == 0 }
        return SizeClass.byteCount(SizeClass.index(byteCount)) == byteCount
    }

    func validate() throws(TensorPoolError) {
        try PoolLimits.validate(byteLimit: byteLimit)
        try debugging.validate()
        try standard.validate()
        try optimized.validate()
        guard optimizedFloor <= 1 << 20 else {
            throw .invalidConfiguration(
                setting: "optimizedFloor", value: "\(optimizedFloor)",
                reason: "it is at most 1 MiB (1,048,576 bytes): larger tensors are not kept apart by size")
        }
        guard standardCeiling >= 0, standardCeiling <= optimizedFloor else {
            throw .invalidConfiguration(
                setting: "standardCeiling", value: "\(standardCeiling)",
                reason: "it is 0 to optimizedFloor (\(optimizedFloor)): above the one and up to the other is measured")
        }
        guard temporaryCeiling >= 0, temporaryCeiling <= optimizedFloor else {
            throw .invalidConfiguration(
                setting: "temporaryCeiling", value: "\(temporaryCeiling)",
                reason: "it is 0 to optimizedFloor (\(optimizedFloor)), above which everything is optimized")
        }
        for (setting, value) in [
            ("standardCeiling", standardCeiling), ("optimizedFloor", optimizedFloor),
            ("temporaryCeiling", temporaryCeiling),
        ] where !Self.isBound(value) {
            throw .invalidConfiguration(
                setting: setting, value: "\(value)",
                reason: "sizes are told apart by class up to 32 KiB, by 16 KiB above: choose such a bound, or 0")
        }
        guard minimumUses >= 1 else {
            throw .invalidConfiguration(
                setting: "minimumUses", value: "\(minimumUses)", reason: "a size is used at least once")
        }
        guard nanosecondsPerIdlePage >= 0, nanosecondsPerIdlePage.isFinite else {
            throw .invalidConfiguration(
                setting: "nanosecondsPerIdlePage", value: "\(nanosecondsPerIdlePage)", reason: "a price is 0 or more")
        }
    }
}
