/// How an optimized pool is set up. Each flag changes what can be measured; none is without effect.
public struct OptimizedTensorPoolConfig: Sendable, Hashable {
    /// Whether memory is made ready, touched, when the pool is made: ``prewarming`` says how much.
    public var enablePrewarming: Bool
    /// Bytes made ready per size category.
    public var prewarming: Prewarming

    /// Whether the first lines of a block that leaves a slow path are fetched into the processor's cache, so that the
    /// caller's first write does not wait for memory.
    public var enablePrefetching: Bool
    /// How many 64-byte lines of each block are fetched, 1 to 64.
    public var prefetchDistance: Int

    /// Whether zeroing uses 64-byte vector stores, streaming past the processor's cache from 4 MiB on.
    public var enableSIMD: Bool

    /// Whether each thread keeps what it freed, most recent first, in 64-byte aligned bins. Without it every tensor
    /// comes from the shared depot and heap: slower, and nothing is kept per thread.
    public var enableCacheOptimization: Bool

    /// Whether the pool looks at the system's memory pressure on its slow path, and gives back what it does not use
    /// from ``pressureThreshold`` on.
    public var enableMemoryPressureDetection: Bool
    /// The level of pressure from which the pool gives memory back.
    public var pressureThreshold: MemoryPressureLevel

    /// Whether lifetimes of tensors are sampled by category; see ``OptimizedTensorMemoryPool/workloadAnalysis()``.
    public var enableStatisticalAnalysis: Bool

    /// Whether caches shrink when the working set does: blocks of sizes that fell out of use go back to the system.
    public var enableAdaptiveCleanup: Bool

    /// Whether a tensor that becomes a weight keeps its memory where that can be had, without copying.
    public var enableZeroCopyTransitions: Bool

    /// Whether large memory asks the kernel for huge pages.
    public var hugePages: HugePagePolicy
    /// Address space taken from an arena at a time, in bytes: a multiple of 2 MiB. Costs nothing until it is used.
    public var slabByteCount: Int
    /// Bytes of freed tensors up to 14 KiB that one thread may keep.
    public var threadCacheByteLimit: Int
    /// Bytes of freed larger tensors that one thread may keep while the pool's heap holds no more than 16 MiB, up to four of
    /// a size. Beyond them, and in a larger heap, it keeps one that it allocates and frees in a loop. While threads take turns
    /// at the heap each may keep four times as many bytes, of tensors of up to 128 KiB. 0 for none.
    public var threadSpanCacheByteLimit: Int
    /// The most bytes that this pool may hold, within the base's limit: live tensors, their padding, cached and
    /// prewarmed memory. Nil for no limit of its own. Never exceeded, by any thread, for any instant.
    public var byteLimit: Int?
    /// How long memory may lie idle before it goes back, prewarmed memory included, at the looks of a running
    /// ``MemoryPressureMonitor`` and at calls of ``HybridMemoryPool/releaseIdle()``. Nil for ever.
    public var idleReleaseAfter: Duration?
    /// What is looked for in the way the program uses the pool's tensors, beside what `TENSOR_POOL_DEBUG` asks for.
    public var debugging = DebugOptions()
    /// Whether tensors are overwritten with zeros when they are freed, before their memory can be used again or goes
    /// back to the system. Threads keep no caches of their own then: each allocation and free takes the pool's lock.
    public var scrubOnFree = false

    /// Makes the default configuration: prewarmed by 8 MiB, cached, huge pages, no sampling, no cleanup, no limit.
    public init() {
        enablePrewarming = true
        prewarming = Prewarming()
        enablePrefetching = false
        prefetchDistance = 2
        enableSIMD = true
        enableCacheOptimization = true
        enableMemoryPressureDetection = false
        pressureThreshold = .high
        enableStatisticalAnalysis = false
        enableAdaptiveCleanup = false
        enableZeroCopyTransitions = true
        hugePages = .automatic
        slabByteCount = EngineConfiguration.optimized.slabByteCount
        threadCacheByteLimit = EngineConfiguration.optimized.smallCacheByteLimit
        threadSpanCacheByteLimit = EngineConfiguration.optimized.spanCacheByteLimit
    }

    /// Bytes made ready per size category, when a pool is made or by ``OptimizedTensorMemoryPool/prewarm(_:)``.
    public struct Prewarming: Sendable, Hashable {
        /// Bytes of blocks up to 4 KiB, shared out among the size classes.
        public var verySmall: Int
        /// Bytes of blocks over 4 KiB up to 14 KiB, shared out among the size classes. Larger tensors come from granules.
        public var small: Int
        /// Bytes of span heap for tensors of 64 KiB to 1 MiB.
        public var medium: Int
        /// Bytes of span heap for tensors of 1 MiB to 16 MiB.
        public var large: Int
        /// Bytes of span heap for larger tensors.
        public var veryLarge: Int

        /// Makes amounts in bytes. The span heap serves medium, large and very large tensors from one piece, so their
        /// amounts add up.
        public init(
            verySmall: Int = 0, small: Int = 0, medium: Int = 2 << 20, large: Int = 6 << 20, veryLarge: Int = 0
        ) {
            self.verySmall = verySmall
            self.small = small
            self.medium = medium
            self.large = large
            self.veryLarge = veryLarge
        }

        /// The sum of all amounts, or the largest number where there is no such sum.
        public var byteCount: Int {
            [verySmall, small, medium, large, veryLarge].reduce(0) { sum, amount in
                let (next, overflow) = sum.addingReportingOverflow(amount)
                return overflow ? .max : next
            }
        }
    }

    private static func validate(_ settings: [(String, Int)]) throws(TensorPoolError) {
        for (setting, value) in settings where value < 0 || value > Engine.maximumByteCount {
            throw .invalidConfiguration(
                setting: setting, value: "\(value)", reason: "bytes are 0 to \(Engine.maximumByteCount)")
        }
    }

    static func validate(_ prewarming: Prewarming) throws(TensorPoolError) {
        try validate([
            ("prewarming.verySmall", prewarming.verySmall), ("prewarming.small", prewarming.small),
            ("prewarming.medium", prewarming.medium), ("prewarming.large", prewarming.large),
            ("prewarming.veryLarge", prewarming.veryLarge),
        ])
    }

    func validate() throws(TensorPoolError) {
        try Self.validate(prewarming)
        try PoolLimits.validate(byteLimit: byteLimit)
        try PoolLimits.validate(idleReleaseAfter: idleReleaseAfter)
        try debugging.validate()
        try Self.validate([
            ("threadCacheByteLimit", threadCacheByteLimit), ("threadSpanCacheByteLimit", threadSpanCacheByteLimit),
        ])
        guard (1...64).contains(prefetchDistance) else {
            throw .invalidConfiguration(
                setting: "prefetchDistance", value: "\(prefetchDistance)", reason: "1 to 64 cache lines can be fetched")
        }
        guard slabByteCount >= 2 << 20, slabByteCount % (2 << 20) == 0, slabByteCount <= 1 << 40 else {
            throw .invalidConfiguration(
                setting: "slabByteCount", value: "\(slabByteCount)",
                reason: "a slab is a multiple of 2 MiB (2,097,152 bytes), up to 1 TiB")
        }
        if enableMemoryPressureDetection && pressureThreshold == .none {
            throw .invalidConfiguration(
                setting: "pressureThreshold", value: "none",
                reason: "the pool would give everything back all the time; choose .low or higher")
        }
    }

    var engineConfiguration: EngineConfiguration {
        var engine = EngineConfiguration.optimized
        engine.smallCacheByteLimit = enableCacheOptimization ? threadCacheByteLimit : 0
        engine.spanCacheByteLimit = enableCacheOptimization ? threadSpanCacheByteLimit : 0
        engine.slabByteCount = slabByteCount
        engine.hugePages = hugePages
        engine.vectorizedFilling = enableSIMD
        engine.prefetchLines = enablePrefetching ? prefetchDistance : 0
        engine.shrinksIdleBins = enableAdaptiveCleanup
        engine.samplesLifetimes = enableStatisticalAnalysis
        engine.promotesInPlace = enableZeroCopyTransitions
        engine.idleReleaseNanoseconds = idleReleaseAfter?.wholeNanoseconds
        engine.pressureThreshold = enableMemoryPressureDetection ? pressureThreshold : nil
        return engine
    }
}
