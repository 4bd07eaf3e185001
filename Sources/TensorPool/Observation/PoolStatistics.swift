/// Figures of a pool at one moment.
///
/// At any quiescent moment `reservedBytes` is the sum of live, padding, cached and prewarmed bytes.
public struct PoolStatistics: Sendable, Hashable {
    /// Requested bytes of tensors that were not freed.
    public var liveBytes = 0
    /// The most that `liveBytes` ever was. Exact for one thread; with several, it may miss what another thread did since
    /// its figures were last added up, or add peaks that were not at one time. They are added up where statistics are asked
    /// for, and once in some 4,000 operations of a thread off the hot path.
    public var peakLiveBytes = 0
    /// Bytes beyond the requested ones in the blocks of live tensors: rounding, and freed weights whose neighbours live.
    public var paddingBytes = 0
    /// Bytes freed and kept for the next tensor.
    public var cachedBytes = 0
    /// Bytes made ready ahead of time and not used yet.
    public var prewarmedBytes = 0
    /// Bytes that were ever made ready ahead of time.
    public var everPrewarmedBytes = 0
    /// Nanoseconds that making them ready took.
    public var prewarmNanoseconds = 0
    /// Bytes counted against the limit, counted apart from the four above.
    public var reservedBytes = 0
    /// Bytes of block records, caches, lists of cached blocks, and the description of granules.
    public var metadataBytes = 0

    /// Tensors that were not freed.
    public var liveTensors = 0
    /// Tensors ever allocated.
    public var allocations = 0
    /// Tensors ever freed.
    public var deallocations = 0
    /// Allocations served by the calling thread's cache.
    public var cacheHits = 0
    /// Allocations that needed memory the pool did not hold: from jemalloc, or pages it had not used yet.
    public var backendAllocations = 0
    /// Handles that two threads freed at the same instant: freed once.
    public var absorbedFrees = 0

    /// Allocations by size category; weights count in their own figure.
    public var allocationsByCategory: [TensorSizeCategory: Int] = [:]
    /// Allocations by strategy.
    public var allocationsByStrategy: [AllocationStrategy: Int] = [:]
    /// Model weights ever allocated, those that spans became included.
    public var weightAllocations = 0

    /// Makes figures of a pool that did nothing.
    public init() {}

    /// The share of allocations served without new memory, 0 to 1; 0 where nothing was allocated.
    public var reuseRate: Double {
        allocations > 0 ? 1 - Double(min(backendAllocations, allocations)) / Double(allocations) : 0
    }

    /// The share of allocations served by the calling thread's cache, 0 to 1; 0 where nothing was allocated.
    public var cacheHitRate: Double { allocations > 0 ? Double(cacheHits) / Double(allocations) : 0 }

    /// The share of the memory made ready ahead of time that tensors used since, or a trim gave back: what prewarming
    /// bought for ``prewarmNanoseconds``. 0 to 1; 0 where nothing was made ready.
    public var prewarmUseRate: Double {
        everPrewarmedBytes > 0 ? 1 - Double(min(prewarmedBytes, everPrewarmedBytes)) / Double(everPrewarmedBytes) : 0
    }

    /// Adds another pool's figures. Peaks add up to an upper bound.
    mutating func add(_ other: PoolStatistics) {
        liveBytes += other.liveBytes
        peakLiveBytes += other.peakLiveBytes
        paddingBytes += other.paddingBytes
        cachedBytes += other.cachedBytes
        prewarmedBytes += other.prewarmedBytes
        everPrewarmedBytes += other.everPrewarmedBytes
        prewarmNanoseconds += other.prewarmNanoseconds
        reservedBytes += other.reservedBytes
        metadataBytes += other.metadataBytes
        liveTensors += other.liveTensors
        allocations += other.allocations
        deallocations += other.deallocations
        cacheHits += other.cacheHits
        backendAllocations += other.backendAllocations
        absorbedFrees += other.absorbedFrees
        weightAllocations += other.weightAllocations
        allocationsByCategory.merge(other.allocationsByCategory, uniquingKeysWith: +)
        allocationsByStrategy.merge(other.allocationsByStrategy, uniquingKeysWith: +)
    }
}
