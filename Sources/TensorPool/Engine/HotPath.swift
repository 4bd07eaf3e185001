public import CThreadSlot

/// The golden path: a block from the calling thread's cache, and back.
///
/// No lock, no atomic read-modify-write, no dictionary, no reference counting, no existential, no closure, no clock.
/// Everything that cannot be done so returns nil or false, having changed nothing, and the caller takes the slow path.
///
/// What a loop over one tensor does is marked as the usual way, so that it is compiled in a row, with few jumps taken: a
/// tenth to a third of a pair's time (2-core x86-64 VM, 2026-11-30).
///
/// There are two forms of each step. Sizes up to 1 MiB have bins of their own; larger ones share bins, and must ask whether
/// a bin keeps their number of granules. One form for both was tried: it made the small sizes about a tenth slower.
@frozen @usableFromInline enum HotPath {
    /// Takes the most recently freed block of a kind that has a bin of its own.
    @inlinable @inline(__always)
    static func pop(engine: UInt32, kind: BlockKind, byteCount: Int) -> UnsafeMutableRawPointer? {
        unsafe pop(engine: engine, kind: kind, granules: nil, byteCount: byteCount)
    }

    /// Takes the most recently freed span of a size that shares its bin.
    @inlinable @inline(__always)
    static func popShared(engine: UInt32, byteCount: Int) -> UnsafeMutableRawPointer? {
        let granules = Granule.count(byteCount)
        return unsafe pop(engine: engine, kind: .span(granules), granules: granules, byteCount: byteCount)
    }

    @inlinable @inline(__always)
    static func pop(engine: UInt32, kind: BlockKind, granules: Int?, byteCount: Int) -> UnsafeMutableRawPointer? {
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(of: kind)
        guard unsafe bin.keeps(granules), let address = unsafe bin.popNewest() else {
            tensorpool_leave()
            return nil
        }
        guard unsafe _fastPath(bin.countHit()) else {
            unsafe takeBack(address, kind, cache)
            tensorpool_leave()
            return nil
        }
        unsafe cache.noteAllocated(byteCount)
        tensorpool_leave()
        return unsafe address
    }

    /// Undoes a pop and its count.
    @usableFromInline @inline(never)
    static func takeBack(_ address: UnsafeMutableRawPointer, _ kind: BlockKind, _ cache: ThreadCachePointer) {
        let bin = unsafe cache.bin(of: kind)
        unsafe bin.pointee.untilSample &+= 1
        unsafe _ = bin.pushNewest(address)
    }

    /// Whether the next allocation of a kind is to be sampled.
    static func isSample(engine: UInt32, kind: BlockKind) -> Bool {
        defer { tensorpool_leave() }
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        return unsafe cache.bin(of: kind).pointee.untilSample == 0
    }

    /// Takes a block where the allocation is one that is to be sampled. Nil where it is not, or where there is no block.
    static func popSampled(engine: UInt32, kind: BlockKind, byteCount: Int) -> UnsafeMutableRawPointer? {
        defer { tensorpool_leave() }
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(of: kind)
        let granules = kind.hasOwnBin ? nil : Granule.count(byteCount)
        guard unsafe bin.pointee.untilSample == 0, unsafe bin.keeps(granules), unsafe bin.pointee.count > 0
        else { return nil }
        let address = unsafe bin.pointee.pop()
        unsafe bin.pointee.countServed(longestInterval: cache.pointee.longestSampleInterval)
        unsafe cache.noteAllocated(byteCount)
        return unsafe address
    }

    /// Keeps a freed block of a kind that has a bin of its own.
    @inlinable @inline(__always)
    static func push(engine: UInt32, kind: BlockKind, byteCount: Int, address: UnsafeMutableRawPointer) -> Bool {
        unsafe push(engine: engine, kind: kind, granules: nil, byteCount: byteCount, address: address)
    }

    /// Keeps a freed span of a size that shares its bin.
    @inlinable @inline(__always)
    static func pushShared(engine: UInt32, kind: BlockKind, byteCount: Int, address: UnsafeMutableRawPointer) -> Bool {
        unsafe push(
            engine: engine, kind: kind, granules: Granule.count(byteCount), byteCount: byteCount, address: address)
    }

    @inlinable @inline(__always)
    static func push(
        engine: UInt32, kind: BlockKind, granules: Int?, byteCount: Int, address: UnsafeMutableRawPointer
    ) -> Bool {
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(of: kind)
        guard unsafe bin.keeps(granules), unsafe bin.pushNewest(address) else {
            tensorpool_leave()
            return false
        }
        unsafe cache.noteFreed(byteCount)
        tensorpool_leave()
        return true
    }
}

extension CacheBin {
    @inlinable @inline(__always) var hasNewest: Bool {
        unsafe slot > Self.closed || UnsafeRawPointer(top - 1).load(as: UnsafeMutableRawPointer?.self) != nil
    }

    @inlinable @inline(__always) var hasPlace: Bool { unsafe slot == Self.empty || top < ceiling }
}

/// Methods of the pointer, and not mutating ones of the bin: all threads without a cache share one with empty bins, and a
/// mutating method is an access that others must not have at the same time, even where it stores nothing.
extension UnsafeMutablePointer where Pointee == CacheBin {
    /// Whether the bin keeps spans of this size; of a bin that one size has for its own, nil.
    @inlinable @inline(__always) func keeps(_ size: Int?) -> Bool {
        guard let size else { return true }
        return unsafe Int(pointee.granules) == size
    }

    /// Takes the address that was kept last; nil where there is none.
    @inlinable @inline(__always) func popNewest() -> UnsafeMutableRawPointer? {
        let newest = unsafe pointee.slot
        if unsafe _fastPath(newest > CacheBin.closed) {
            unsafe pointee.slot = CacheBin.empty
            return unsafe UnsafeMutableRawPointer(bitPattern: newest).unsafelyUnwrapped
        }
        guard let next = unsafe UnsafeRawPointer(pointee.top - 1).load(as: UnsafeMutableRawPointer?.self) else {
            return nil
        }
        unsafe pointee.top -= 1
        return unsafe next
    }

    /// Counts an allocation that the bin serves; false where it is one to be sampled.
    @inlinable @inline(__always) func countHit() -> Bool {
        unsafe pointee.untilSample &-= 1
        return unsafe pointee.untilSample >= 0
    }

    /// Keeps an address where there is place.
    @inlinable @inline(__always) func pushNewest(_ address: UnsafeMutableRawPointer) -> Bool {
        let newest = unsafe pointee.slot
        if unsafe _slowPath(newest != CacheBin.empty) {
            guard unsafe pointee.top < pointee.ceiling else { return false }
            unsafe pointee.top.pointee = unsafe UnsafeMutableRawPointer(bitPattern: newest).unsafelyUnwrapped
            unsafe pointee.top += 1
        }
        unsafe pointee.slot = UInt(bitPattern: address)
        return true
    }
}

/// Plain assignments: `&+=` would be an access of the whole cache, of which others may change a flag under the lock.
extension UnsafeMutablePointer where Pointee == ThreadCache {
    @inlinable @inline(__always) func noteAllocated(_ byteCount: Int) {
        let allocated = unsafe pointee.allocatedBytes &+ byteCount
        unsafe pointee.allocatedBytes = allocated
        let mark = unsafe pointee.peakMark
        if _slowPath(allocated > mark) {
            unsafe pointee.peakLiveBytes = unsafe pointee.peakLiveBytes &+ (allocated &- mark)
            unsafe pointee.peakMark = allocated
        }
    }

    @inlinable @inline(__always) func noteFreed(_ byteCount: Int) {
        unsafe pointee.peakMark = unsafe pointee.peakMark &+ byteCount
    }
}
