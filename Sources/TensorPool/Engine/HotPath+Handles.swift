public import CThreadSlot
public import Synchronization

/// Handles on the golden path: what buffers do there, with a record from the thread's cache or back to it.
extension HotPath {
    /// What a handle is made of.
    @usableFromInline typealias Tensor = (address: UnsafeMutableRawPointer, record: BlockRecordPointer, state: UInt64)

    /// Takes a block of a kind that has a bin of its own, and a record for a handle.
    @inlinable @inline(__always)
    static func popTensor(engine: UInt32, kind: BlockKind, byteCount: Int, id: UInt64) -> Tensor? {
        unsafe popTensor(engine: engine, kind: kind, granules: nil, byteCount: byteCount, id: id)
    }

    /// Takes a span of a size that shares its bin, and a record for a handle.
    @inlinable @inline(__always)
    static func popSharedTensor(engine: UInt32, byteCount: Int, id: UInt64) -> Tensor? {
        let granules = Granule.count(byteCount)
        return unsafe popTensor(engine: engine, kind: .span(granules), granules: granules, byteCount: byteCount, id: id)
    }

    @inlinable @inline(__always)
    static func popTensor(engine: UInt32, kind: BlockKind, granules: Int?, byteCount: Int, id: UInt64) -> Tensor? {
        // Of a size that has a bin of its own, only the id can be too wide.
        guard unsafe _fastPath(BlockRecord.holds(byteCount: granules == nil ? 0 : byteCount, id: id)) else {
            return unsafe popWideTensor(engine: engine, kind: kind, granules: granules, byteCount: byteCount, id: id)
        }
        return unsafe popTensor(engine: engine, kind: kind, granules: granules, byteCount: byteCount) { record, step in
            unsafe record.describeNarrowly(byteCount: byteCount, id: id, step: step)
        }
    }

    /// The same of a tensor whose description does not fit in a record: first it is given to the record that is next.
    @usableFromInline @inline(never)
    static func popWideTensor(engine: UInt32, kind: BlockKind, granules: Int?, byteCount: Int, id: UInt64) -> Tensor? {
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        let records = unsafe cache.bin(CacheLayout.recordBin)
        let next = unsafe records.pointee.newest?.assumingMemoryBound(to: BlockRecord.self)
        guard unsafe next?.describeWidely(byteCount: byteCount, id: id) ?? false else {
            tensorpool_leave()
            return nil
        }
        // Enters once more before it leaves: nobody else takes the record in between.
        return unsafe popTensor(engine: engine, kind: kind, granules: granules, byteCount: byteCount) { record, step in
            unsafe record.makeLive(step)
        }
    }

    /// `describe` is inlined: there is no closure.
    @inlinable @inline(__always)
    static func popTensor(
        engine: UInt32, kind: BlockKind, granules: Int?, byteCount: Int,
        describe: (_ record: BlockRecordPointer, _ step: UInt64) -> UInt64
    ) -> Tensor? {
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(of: kind)
        let records = unsafe cache.bin(CacheLayout.recordBin)
        guard unsafe bin.keeps(granules), let address = unsafe bin.popNewest() else {
            tensorpool_leave()
            return nil
        }
        guard unsafe _fastPath(bin.countHit()), let free = unsafe records.popNewest() else {
            unsafe takeBack(address, kind, cache)
            tensorpool_leave()
            return nil
        }
        let record = unsafe free.assumingMemoryBound(to: BlockRecord.self)
        let state = unsafe describe(record, cache.pointee.recordStep)
        unsafe cache.noteAllocated(byteCount)
        tensorpool_leave()
        return unsafe (address, record, state)
    }

    /// A handle's record for a block that was got already; nil where the thread has none at hand.
    static func describe(_ block: Block, engine: UInt32, byteCount: Int, id: UInt64) -> Tensor? {
        defer { tensorpool_leave() }
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        let records = unsafe cache.bin(CacheLayout.recordBin)
        guard let free = unsafe records.popNewest() else { return nil }
        let record = unsafe free.assumingMemoryBound(to: BlockRecord.self)
        guard let state = unsafe record.describe(byteCount: byteCount, id: id, step: cache.pointee.recordStep) else {
            unsafe _ = records.pushNewest(free)
            return nil
        }
        return unsafe (block.address, record, state)
    }

    /// Frees a live handle's block that this thread allocated, of a kind that has a bin of its own.
    @inlinable @inline(__always)
    static func pushTensor(engine: UInt32, _ handle: borrowing MemoryHandle) -> Bool {
        pushTensor(engine: engine, handle, granules: nil)
    }

    /// Frees a live handle's span that this thread allocated, of a size that shares its bin.
    @inlinable @inline(__always)
    static func pushSharedTensor(engine: UInt32, _ handle: MemoryHandle) -> Bool {
        pushTensor(engine: engine, handle, granules: Granule.count(handle.byteCount))
    }

    @inlinable @inline(__always)
    static func pushTensor(engine: UInt32, _ handle: borrowing MemoryHandle, granules: Int?) -> Bool {
        let cache = unsafe tensorpool_enter(engine).assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(of: handle.kind)
        let records = unsafe cache.bin(CacheLayout.recordBin)
        let record = unsafe handle.record
        let state = handle.state
        guard unsafe _fastPath(record.pointee.state.load(ordering: .relaxed) == state),
            unsafe _fastPath(RecordStatus.isLive(state, ofOwnerWith: cache.pointee.recordStep)),
            unsafe bin.keeps(granules), unsafe records.pushNewest(UnsafeMutableRawPointer(record))
        else {
            tensorpool_leave()
            return false
        }
        guard unsafe bin.pushNewest(handle.baseAddress) else {
            unsafe _ = records.popNewest()
            tensorpool_leave()
            return false
        }
        unsafe record.pointee.state.store(RecordStatus.freed(state), ordering: .relaxed)
        unsafe cache.noteFreed(handle.byteCount)
        tensorpool_leave()
        return true
    }
}
