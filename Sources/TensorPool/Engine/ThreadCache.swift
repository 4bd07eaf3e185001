internal import CThreadSlot

/// One thread's cache of one engine: a header, then a bin per size, in one piece of memory.
///
///     +-----------------+  0
///     | header          |  live bytes, peak, owner
///     +-----------------+  128
///     | 32 small bins   |  one per size class, 64 bytes each
///     | 144 span bins   |  by number of granules
///     | 1 record bin    |  block records for handles
///     +-----------------+
///     | entries         |  the cached addresses of all bins
///     +-----------------+
///
/// Only the owning thread touches it between `tensorpool_enter` and `tensorpool_leave`; everyone else, and the owner's
/// slow paths, hold the engine's lock (see `Engine+Threads.swift`). That is why nothing here is atomic. The memory is
/// never freed before the engine ends: records name their owner by its place.
@frozen @usableFromInline @unsafe struct ThreadCache {
    /// Bytes this thread requested and bytes it freed since the last settlement. Two sums and not their difference: two
    /// short chains of dependent stores where one would be twice as long.
    @usableFromInline var allocatedBytes: Int = 0
    @usableFromInline var freedBytes: Int = 0
    /// The highest difference of the two since the last settlement.
    @usableFromInline var peakLiveBytes: Int = 0
    /// Position among the engine's caches; what block records name.
    @usableFromInline var ordinal: Int = 0
    /// The thread that uses the cache, or nil while none does.
    @usableFromInline var owner: UnsafeMutableRawPointer?
    /// Bytes that the limits of the small bins together allow to be kept.
    @usableFromInline var grantedSmallBytes: Int = 0
    /// Bytes that the limits of the span bins together allow to be kept, that of the last one aside.
    @usableFromInline var grantedSpanBytes: Int = 0
    /// The bin that keeps the span that was freed last, beyond those limits; or -1.
    @usableFromInline var lastBin: Int = -1
    /// The span bin that last asked the heap: a free of the same size at once is the sign of a loop over one tensor.
    @usableFromInline var lastMissedBin: Int = -1
    /// Slow operations since bins were last swept for idleness.
    @usableFromInline var slowOperations: Int = 0
    /// The flag by which the thread takes the engine's lock while that is biased to it; see ``EngineLock``.
    @usableFromInline var inside: UInt32 = 0
    /// Whether other threads' handles gave blocks back that wait for this cache.
    @usableFromInline var hasInbox = false
    /// The engine, alive as long as a block of it is out or its pool is.
    let engine: Unmanaged<Engine>

    init(ordinal: Int, engine: Engine) {
        unsafe self.ordinal = ordinal
        unsafe self.engine = .passUnretained(engine)
        unsafe self.owner = nil
    }
}

@usableFromInline typealias ThreadCachePointer = UnsafeMutablePointer<ThreadCache>

/// Where the bins stand in a thread cache.
@frozen @usableFromInline enum CacheLayout {
    @usableFromInline static let headerByteCount = 128
    @usableFromInline static let binShift = 6
    @usableFromInline static let firstSpanBin = 32
    @usableFromInline static let recordBin = 176
    static let binCount = 177
    static let spanBinCount = 144
    /// Addresses a small bin can hold: enough that a thread refills rarely, little enough to fit the second-level cache.
    static let smallBinCapacity = 128
    /// Spans a span bin can hold: more would undo coalescing.
    static let spanBinCapacity = 4
    static let entryCount = 32 * smallBinCapacity + spanBinCount * spanBinCapacity + smallBinCapacity
    static let byteCount =
        unsafe headerByteCount + binCount << binShift + entryCount * MemoryLayout<UnsafeMutableRawPointer>.stride

    /// The bin of spans of `granules` granules: exact up to 1 MiB, shared by a few sizes of one category above. A bin
    /// for every number, for the hot path looks before anyone has checked the size; no entry ever has a negative key.
    @inlinable @inline(__always) static func spanBin(_ granules: Int) -> Int {
        if UInt(bitPattern: granules) <= 64 { return firstSpanBin &+ granules &- 1 }
        if granules <= 1024 { return firstSpanBin &+ 64 &+ (granules & 63) }
        return firstSpanBin &+ 128 &+ (granules & 15)
    }

    /// The key of a bin of a size class: no request, however odd its size, comes to this many granules.
    @usableFromInline static let classKey = Int.min

    /// The bin of a block, and the key that its entries must have: its granules, or the class key.
    @inlinable @inline(__always)
    static func place(of kind: BlockKind, byteCount: Int) -> (bin: Int, granules: Int) {
        let granules = Granule.count(byteCount)
        return kind.isSmall ? (Int(kind.rawValue), classKey) : (spanBin(granules), granules)
    }

    /// The category of the tensors a bin serves; nil for the record bin.
    static func category(ofBin bin: Int) -> TensorSizeCategory? {
        switch bin {
        case ..<firstSpanBin: TensorSizeCategory(byteCount: SizeClass.byteCount(bin))
        case ..<(firstSpanBin + 4): .small
        case ..<(firstSpanBin + 64): .medium
        case ..<(firstSpanBin + 128): .large
        case ..<recordBin: .veryLarge
        default: nil
        }
    }
}

extension UnsafeMutablePointer where Pointee == ThreadCache {
    @inlinable @inline(__always) func bin(_ index: Int) -> UnsafeMutablePointer<CacheBin> {
        unsafe (UnsafeMutableRawPointer(self) + CacheLayout.headerByteCount + index &<< CacheLayout.binShift)
            .assumingMemoryBound(to: CacheBin.self)
    }

    /// Makes a cache without owner and without any limit granted; nil where there is no memory for it.
    static func make(ordinal: Int, engine: Engine) -> ThreadCachePointer? {
        unsafe precondition(MemoryLayout<CacheBin>.size <= 1 << CacheLayout.binShift)
        unsafe precondition(MemoryLayout<ThreadCache>.size <= CacheLayout.headerByteCount)
        guard let memory = unsafe Backend.allocateBookkeeping(CacheLayout.byteCount) else { return nil }
        let cache = unsafe memory.bindMemory(to: ThreadCache.self, capacity: 1)
        unsafe cache.initialize(to: ThreadCache(ordinal: ordinal, engine: engine))
        var entries = unsafe (memory + CacheLayout.headerByteCount + CacheLayout.binCount << CacheLayout.binShift)
            .bindMemory(to: UnsafeMutableRawPointer.self, capacity: CacheLayout.entryCount)
        for index in 0..<CacheLayout.binCount {
            let isSpan = index >= CacheLayout.firstSpanBin && index < CacheLayout.recordBin
            let capacity = isSpan ? CacheLayout.spanBinCapacity : CacheLayout.smallBinCapacity
            unsafe cache.bin(index).initialize(
                to: CacheBin(entries: entries, capacity: capacity, granules: isSpan ? 0 : CacheLayout.classKey))
            unsafe entries += capacity
        }
        return unsafe cache
    }
}
