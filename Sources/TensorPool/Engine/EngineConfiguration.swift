/// What distinguishes one engine from another.
struct EngineConfiguration: Sendable {
    var strategy: AllocationStrategy
    /// Requests up to this many bytes are served by size class.
    var smallCeiling: Int
    /// Larger requests come from the span heap; otherwise straight from the arenas.
    var usesSpanHeap: Bool
    /// Bytes of size-class blocks one thread may keep.
    var smallCacheByteLimit: Int
    /// Bytes of spans one thread may keep while the heap is small; see `EngineState+SpanCache.swift`.
    var spanCacheByteLimit: Int
    /// Bytes of size-class blocks the threads' shared depot may keep.
    var depotByteLimit: Int
    /// Address space got from an arena at a time.
    var slabByteCount: Int
    var hugePages: HugePagePolicy
    /// Zeroing and filling by vector stores, streaming ones for large tensors.
    var vectorizedFilling: Bool
    /// Cache lines prefetched of every block that leaves a slow path; 0 for none.
    var prefetchLines: Int
    /// Whether blocks of classes that fell out of use, and granules not needed lately, go back to the system.
    var shrinksIdleBins: Bool
    /// Whether sizes and lifetimes are sampled.
    var samplesLifetimes: Bool
    /// Whether a span may become a weight where it is.
    var promotesInPlace: Bool
    /// The system's memory pressure from which idle memory is given back; nil to never look.
    var pressureThreshold: MemoryPressureLevel?
    /// Nanoseconds after which idle memory is given back when the engine is asked to; nil for never.
    var idleReleaseNanoseconds: UInt64?
    /// What is looked for in the way the program uses tensors.
    var debugging = DebugOptions()
    /// Whether freed tensors are overwritten.
    var scrubsOnFree = false
    /// Whether threads have caches: nothing that must be seen at its free may end in one.
    var keepsThreadCaches = true

    /// Turns debugging modes on, those of the environment too, and scrubbing.
    mutating func watch(_ options: DebugOptions, scrubOnFree: Bool) throws(TensorPoolError) {
        debugging = options.union(try .fromEnvironment())
        try debugging.validate()
        scrubsOnFree = scrubOnFree
        keepsThreadCaches = !scrubOnFree && !debugging.watchesEveryTensor
    }

    /// The standard strategy: little is kept.
    static let standard = EngineConfiguration(
        strategy: .standard, smallCeiling: SizeClass.maximumByteCount, usesSpanHeap: false,
        smallCacheByteLimit: 256 << 10, spanCacheByteLimit: 0, depotByteLimit: 256 << 10, slabByteCount: 0,
        hugePages: .never, vectorizedFilling: false, prefetchLines: 0, shrinksIdleBins: true, samplesLifetimes: false,
        promotesInPlace: false)

    /// The optimized strategy: everything is kept warm.
    static let optimized = EngineConfiguration(
        strategy: .optimized, smallCeiling: Self.optimizedSmallCeiling, usesSpanHeap: true,
        smallCacheByteLimit: 1 << 20, spanCacheByteLimit: 1 << 20, depotByteLimit: .max, slabByteCount: 2 << 30,
        hugePages: .automatic, vectorizedFilling: true, prefetchLines: 0, shrinksIdleBins: false,
        samplesLifetimes: false, promotesInPlace: true)

    /// The largest class below a granule: what is larger takes a granule.
    static let optimizedSmallCeiling = 14 << 10
}
