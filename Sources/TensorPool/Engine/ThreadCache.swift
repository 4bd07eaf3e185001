internal import CThreadSlot
internal import Jemalloc

/// One thread's cache of one engine: a header, then a bin per size, in one piece of memory.
///
///     +-----------------+  0
///     | header          |  live bytes, peak, owner
///     +-----------------+  128
///     | 32 small bins   |  one per size class, 64 bytes each
///     | 64 span bins    |  one per number of granules
///     | 80 shared bins  |  by number of granules, each for several
///     | 1 record bin    |  block records for handles
///     | 1 empty bin     |  what a request for no bytes finds
///     +-----------------+
///     | entries         |  the cached addresses of all bins
///     +-----------------+
///
/// Only the owning thread touches it between `tensorpool_enter` and `tensorpool_leave`; everyone else, and the owner's
/// slow paths, hold the engine's lock (see `Engine+Threads.swift`). That is why nothing here is atomic. The memory is
/// never freed before the engine ends: records name their owner by its place.
@frozen @usableFromInline @unsafe struct ThreadCache {
    /// Bytes this thread requested since the last settlement.
    @usableFromInline var allocatedBytes: Int = 0
    /// What `allocatedBytes` passes where live bytes reach a new peak: bytes freed since the last settlement, and the peak
    /// of live ones. Two sums and not live bytes: two short chains of dependent stores where one would be twice as long.
    @usableFromInline var peakMark: Int = 0
    /// The highest number of live bytes since the last settlement, of those requested since then.
    @usableFromInline var peakLiveBytes: Int = 0
    /// Position among the engine's caches.
    let ordinal: Int
    /// What makes the state of a free record that of a live tensor of this thread; see ``RecordStatus``.
    @usableFromInline let recordStep: UInt64
    /// The thread that uses the cache, or nil while none does.
    @usableFromInline var owner: UnsafeMutableRawPointer?
    /// Bytes that the limits of the small bins together allow to be kept.
    @usableFromInline var grantedSmallBytes: Int = 0
    /// Bytes that the limits of the span bins together allow to be kept, that of the last one aside.
    @usableFromInline var grantedSpanBytes: Int = 0
    /// The bin that keeps the span that was freed last, beyond those limits; or -1.
    @usableFromInline var lastBin: Int32 = -1
    /// In a standard pool, the span bin that last asked an arena: a free of the same size is the sign of a loop.
    @usableFromInline var lastMissedBin: Int32 = -1
    /// How often the cache had been used when quiet threads were last looked for.
    var usesAtLook: Int = 0
    /// Operations that the warm path may still do before the cold path has to see to what is due; of those granted.
    var warmLeft: Int32 = 0
    var warmGranted: Int32 = 0
    /// Operations off the hot path since bins were last swept for idleness, less those of the current grant.
    var slowOperations: Int32 = 0
    /// The flag by which the thread takes the engine's lock while that is biased to it; see ``EngineLock``.
    @usableFromInline var inside: UInt32 = 0
    /// Whether other threads' handles gave blocks back that wait for this cache.
    @usableFromInline var hasInbox = false
    /// How many allocations of a size may lie between two that are sampled.
    let longestSampleInterval: Int32
    /// The engine, alive as long as a block of it is out or its pool is.
    let engine: Unmanaged<Engine>
    /// The engine's ``EngineState``, and what its lock is biased to: the warm path gets at both from here.
    private let stateAddress: UnsafeMutableRawPointer
    let bias: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    var state: UnsafeMutablePointer<EngineState> { unsafe stateAddress.assumingMemoryBound(to: EngineState.self) }

    /// Bytes requested less bytes freed since the last settlement.
    var liveBytes: Int { unsafe allocatedBytes &+ peakLiveBytes &- peakMark }

    init(ordinal: Int, engine: Engine) {
        unsafe self.ordinal = ordinal
        unsafe recordStep = RecordStatus.step(ofOwner: ordinal)
        unsafe longestSampleInterval = Int32(engine.longestSampleInterval)
        unsafe self.engine = .passUnretained(engine)
        unsafe stateAddress = unsafe UnsafeMutableRawPointer(engine.state)
        unsafe bias = engine.lock.bias
        unsafe self.owner = nil
    }
}

@usableFromInline typealias ThreadCachePointer = UnsafeMutablePointer<ThreadCache>

/// Where the bins stand in a thread cache.
@frozen @usableFromInline enum CacheLayout {
    @usableFromInline static let headerByteCount = 128
    @usableFromInline static let binShift = 6
    @usableFromInline static let firstSpanBin = 32
    /// The first of the bins that spans of several sizes share: those of more than 1 MiB.
    @usableFromInline static let firstSharedBin = 96
    @usableFromInline static let recordBin = 176
    /// A bin that never keeps anything; `tensorpool_empty_place` in C.
    static let emptyBin = 177
    @usableFromInline static let binCount = 178
    static let spanBinCount = 144
    /// Addresses a small bin can hold: enough that a thread refills rarely, little enough to fit the second-level cache.
    static let smallBinCapacity = 128
    /// Spans a span bin can hold: more would undo coalescing. Those of up to 128 KiB hold more, for threads that share
    /// the heap.
    static let spanBinCapacity = 4
    static let sharedModeSpans = 8
    static let sharedModeCapacity = 16
    /// One more for each bin: the null below its entries.
    static let entryCount =
        32 * smallBinCapacity + sharedModeSpans * sharedModeCapacity
        + (spanBinCount - sharedModeSpans) * spanBinCapacity + smallBinCapacity + binCount
    static let byteCount =
        unsafe headerByteCount + binCount << binShift + entryCount * MemoryLayout<UnsafeMutableRawPointer>.stride

    /// The bin of spans of `granules` granules: its own up to 1 MiB, shared by a few sizes of one category above. A bin
    /// for every number, for the hot path looks before anyone has checked the size; no shared bin ever keeps a number
    /// of granules that is not positive.
    @inlinable @inline(__always) static func spanBin(_ granules: Int) -> Int {
        if hasOwnBin(granules: granules) { return firstSpanBin &+ granules &- 1 }
        if granules <= 1024 { return firstSharedBin &+ (granules & 63) }
        return firstSharedBin &+ 64 &+ (granules & 15)
    }

    @inlinable @inline(__always) static func hasOwnBin(granules: Int) -> Bool {
        UInt(bitPattern: granules &- 1) < UInt(firstSharedBin &- firstSpanBin)
    }

    /// The category of the tensors a bin serves; nil for the record bin.
    static func category(ofBin bin: Int) -> TensorSizeCategory? {
        switch bin {
        case ..<firstSpanBin: TensorSizeCategory(byteCount: SizeClass.byteCount(bin))
        case ..<(firstSpanBin + 4): .small
        case ..<firstSharedBin: .medium
        case ..<(firstSharedBin + 64): .large
        case ..<recordBin: .veryLarge
        default: nil
        }
    }
}

extension UnsafeMutablePointer where Pointee == ThreadCache {
    /// Sends the thread's next operation off the hot path to the cold path. Lock held; the owner may be in its hot path,
    /// so this touches nothing but what belongs to the lock.
    func endWarmGrant() {
        unsafe pointee.warmGranted = unsafe pointee.warmGranted - pointee.warmLeft
        unsafe pointee.warmLeft = 0
    }

    @inlinable @inline(__always) func bin(_ index: Int) -> UnsafeMutablePointer<CacheBin> {
        unsafe (UnsafeMutableRawPointer(self) + CacheLayout.headerByteCount + index &<< CacheLayout.binShift)
            .assumingMemoryBound(to: CacheBin.self)
    }

    /// The bin of a cacheable block.
    @inlinable @inline(__always) func bin(of kind: BlockKind) -> UnsafeMutablePointer<CacheBin> {
        unsafe (UnsafeMutableRawPointer(self) + CacheLayout.headerByteCount + Int(kind.rawValue))
            .assumingMemoryBound(to: CacheBin.self)
    }

    /// Makes a cache without owner and without any limit granted; nil where there is no memory for it.
    static func make(ordinal: Int, engine: Engine) -> ThreadCachePointer? {
        guard unsafe MemoryLayout<CacheBin>.size <= 1 << CacheLayout.binShift,
            unsafe MemoryLayout<ThreadCache>.size <= CacheLayout.headerByteCount
        else { stopProgram("a thread's cache has less place for its header or a bin than they take") }
        guard let memory = unsafe Backend.allocateBookkeeping(CacheLayout.byteCount) else { return nil }
        let cache = unsafe memory.bindMemory(to: ThreadCache.self, capacity: 1)
        unsafe cache.initialize(to: ThreadCache(ordinal: ordinal, engine: engine))
        var entries = unsafe (memory + CacheLayout.headerByteCount + CacheLayout.binCount << CacheLayout.binShift)
            .bindMemory(to: UnsafeMutableRawPointer.self, capacity: CacheLayout.entryCount)
        for index in 0..<CacheLayout.binCount {
            let hasOwnSpan = index >= CacheLayout.firstSpanBin && index < CacheLayout.firstSharedBin
            let capacity =
                switch index {
                case CacheLayout.emptyBin: 0
                case CacheLayout.firstSpanBin..<(CacheLayout.firstSpanBin + CacheLayout.sharedModeSpans):
                    CacheLayout.sharedModeCapacity
                case CacheLayout.firstSpanBin..<CacheLayout.recordBin: CacheLayout.spanBinCapacity
                default: CacheLayout.smallBinCapacity
                }
            unsafe cache.bin(index).initialize(
                to: CacheBin(
                    entries: entries + 1, capacity: capacity,
                    granules: hasOwnSpan ? index - CacheLayout.firstSpanBin + 1 : 0))
            if engine.drawsSamples {
                // Each allocation is as likely to be one as any other: of a size that is asked for a few times too.
                unsafe cache.bin(index).pointee.delayFirstSample(by: .random(in: 0..<CacheBin.firstSampleInterval))
            }
            unsafe entries += capacity + 1
        }
        return unsafe cache
    }
}
