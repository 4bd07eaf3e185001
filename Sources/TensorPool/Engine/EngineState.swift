internal import Jemalloc

/// Everything of an engine that its lock guards.
@safe struct EngineState: ~Copyable {
    let base: BaseMemory
    var configuration: EngineConfiguration

    let guards: Guards?
    var hugePages = HugePageAdvice()
    var depot = Depot()
    var heap = SpanHeap()
    var weights = WeightStore()
    var records = RecordStore()
    /// Spans that became weights where they are, by address.
    var promotedSpans: [UInt: WeightRange] = [:]

    /// Every cache ever made, by ordinal. Those without an owner wait for a new thread.
    var caches: [ThreadCachePointer] = unsafe []
    /// Of each cache, the blocks that other threads' handles gave back to it.
    var inboxes: [[ReturnedTensor]] = []
    /// What happened without a cache, by bin.
    var sharedCounts = [BinCounts](repeating: BinCounts(), count: CacheLayout.binCount)

    /// The arenas, each looked up once.
    private var arenaFlags = [AllocationFlags?](repeating: nil, count: TensorSizeCategory.allCases.count)

    /// Bytes this engine holds of the base's limit.
    private(set) var reservedBytes = 0
    /// Requested bytes in use, as far as caches have settled.
    var liveBytes = 0
    var peakLiveBytes = 0
    /// Usable bytes of blocks of kind direct.
    var directBytes = 0
    /// Bytes of spans got straight from arenas, in use or cached.
    var arenaSpanBytes = 0
    /// Allocations of up to 4 KiB that stand in the bin of one granule: straight from an arena, or of a large alignment.
    var verySmallInGranules = 0
    /// Allocations that needed memory the pool did not have yet.
    var backendAllocations = 0
    /// Tensors freed by two threads at the same instant, of which one free came to nothing.
    var absorbedFrees = 0
    var weightAllocations = 0
    var weightFrees = 0
    /// Requests on the cold path.
    var coldAllocations = 0
    var samples = AllocationSamples()
    /// How the system's memory pressure is read; tests put their own here.
    var pressure: @Sendable () -> MemoryPressure = { MemoryPressure.current() }
    /// When the pressure was last read.
    var lastPressureLook: UInt64 = 0
    /// When granules that went unneeded were last given back, and how long they must go unneeded.
    var lastIdleLook = MonotonicClock.now()
    var idleInterval: UInt64 = 1_000_000_000
    /// How often idle memory was given back because of it.
    var pressureReleases = 0
    /// When tensors were last seen in use, by record; see `Engine+Lifecycle.swift`.
    var sightings: [UnsafeMutableRawPointer: Sighting] = unsafe [:]
    /// When quiet threads were last looked for, how many nanoseconds lie between two looks, and whether one is due.
    var lastQuietLook = MonotonicClock.now()
    var quietInterval: UInt64 = 1_000_000_000
    var isQuietLookDue = false
    /// Bytes ever made ready ahead of time, and nanoseconds that took.
    var everPrewarmedBytes = 0
    var prewarmNanoseconds: UInt64 = 0
    var isClosed = false
    /// Whether threads took turns at the lock when last one was on the cold path.
    var isShared = false

    init(base: BaseMemory, configuration: EngineConfiguration, guards: Guards? = nil) {
        self.base = base
        self.guards = guards
        self.configuration = configuration
    }

    deinit {
        for place in unsafe caches.indices {
            let cache = unsafe caches[place]
            unsafe UnsafeMutableRawPointer(cache).deallocate()
        }
    }

    /// The flags of this strategy's arena for a category.
    mutating func flags(_ category: TensorSizeCategory) -> AllocationFlags? {
        if let known = arenaFlags[category.rawValue] { return known }
        guard let flags = try? base.arenaFlags(configuration.strategy, category) else { return nil }
        arenaFlags[category.rawValue] = flags
        return flags
    }

    // MARK: - The account

    /// Takes bytes from the base's limit; false where they would exceed it.
    mutating func reserve(_ byteCount: Int) -> Bool {
        guard base.reserve(byteCount) else { return false }
        reservedBytes += byteCount
        return true
    }

    mutating func unreserve(_ byteCount: Int) {
        base.unreserve(byteCount)
        reservedBytes -= byteCount
    }

    // MARK: - Counting

    /// Counts an allocation that did not take the hot path.
    @inline(__always)
    mutating func countAllocation(bin: Int, byteCount: Int, cache: ThreadCachePointer?, missed: Bool) {
        if bin >= CacheLayout.firstSpanBin && byteCount <= TensorSizeCategory.verySmall.maximumByteCount {
            verySmallInGranules += 1
        }
        if let cache = unsafe cache {
            let longestInterval = unsafe cache.pointee.longestSampleInterval
            if missed {
                unsafe cache.bin(bin).pointee.countMiss(longestInterval: longestInterval)
            } else {
                unsafe cache.bin(bin).pointee.countServed(longestInterval: longestInterval)
            }
            unsafe cache.noteAllocated(byteCount)
            unsafe settle(cache)
        } else {
            sharedCounts[bin].allocations += 1
            sharedCounts[bin].misses += 1
            liveBytes += byteCount
            peakLiveBytes = max(peakLiveBytes, liveBytes)
        }
    }

    /// Counts a free that did not take the hot path.
    @inline(__always)
    mutating func countFree(bin: Int, byteCount: Int, cache: ThreadCachePointer?) {
        if let cache = unsafe cache {
            unsafe cache.bin(bin).pointee.countFree()
            unsafe cache.noteFreed(byteCount)
        } else {
            sharedCounts[bin].frees += 1
            liveBytes -= byteCount
        }
    }

    /// Brings a cache's live bytes and their peak into the engine's. Exact for one thread; with several, the peak may miss
    /// what others have not settled yet, or add peaks that were not at one time.
    @inline(__always)
    mutating func settle(_ cache: ThreadCachePointer) {
        unsafe peakLiveBytes = max(peakLiveBytes, liveBytes &+ cache.pointee.peakLiveBytes)
        unsafe liveBytes &+= cache.pointee.liveBytes
        unsafe cache.pointee.allocatedBytes = 0
        unsafe cache.pointee.peakMark = 0
        unsafe cache.pointee.peakLiveBytes = 0
    }

    /// Blocks that are out: of every bin of every cache, allocations less frees.
    var liveBlocks: Int {
        var live = sharedCounts.reduce(0) { $0 + $1.allocations - $1.frees } + weightAllocations - weightFrees
        for place in unsafe caches.indices {
            let cache = unsafe caches[place]
            for index in 0..<CacheLayout.recordBin {
                live += unsafe cache.bin(index).pointee.allocations - cache.bin(index).pointee.frees
            }
        }
        return live
    }
}

/// A tensor freed through its handle by a thread that did not allocate it, on its way to the owner.
@safe struct ReturnedTensor {
    let record: BlockRecordPointer
    /// The state of the record while the return is pending.
    let claimedState: UInt64
    let address: UnsafeMutableRawPointer
    let byteCount: Int
    let kind: BlockKind
}
