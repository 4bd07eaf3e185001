public import CThreadSlot
public import Synchronization

/// The golden path: a block from the calling thread's cache, and back.
///
/// No lock, no atomic read-modify-write, no dictionary, no reference counting, no existential, no closure, no clock.
/// Everything that cannot be done so returns nil or false, having changed nothing, and the caller takes the slow path.
@frozen @usableFromInline enum HotPath {
    /// Every so many allocations of one size by one thread take the slow path, which measures and settles.
    @usableFromInline static let sampleMask = 1023

    /// Takes the most recently freed block of a bin: at a sampled allocation if `isSample`, else at any other.
    @inlinable @inline(__always)
    static func pop(engine: UInt32, bin index: Int, granules: Int, byteCount: Int, isSample: Bool = false)
        -> UnsafeMutableRawPointer?
    {
        guard let raw = unsafe tensorpool_enter(engine) else {
            tensorpool_leave()
            return nil
        }
        let cache = unsafe raw.assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(index)
        let count = unsafe bin.pointee.count
        let allocations = unsafe bin.pointee.allocations
        if unsafe count == 0 || bin.pointee.granules != granules
            || (allocations & sampleMask == sampleMask) != isSample
        {
            tensorpool_leave()
            return nil
        }
        let address = unsafe bin.pointee.entries[Int(count &- 1)]
        unsafe bin.pointee.count = count &- 1
        unsafe bin.pointee.allocations = allocations &+ 1
        unsafe cache.noteAllocated(byteCount)
        tensorpool_leave()
        return unsafe address
    }

    /// Whether the next allocation of a bin is a sampled one that the cache can serve.
    static func isSample(engine: UInt32, bin index: Int, granules: Int) -> Bool {
        defer { tensorpool_leave() }
        guard let raw = unsafe tensorpool_enter(engine) else { return false }
        let bin = unsafe raw.assumingMemoryBound(to: ThreadCache.self).bin(index)
        return unsafe bin.pointee.count > 0 && bin.pointee.granules == granules
            && bin.pointee.allocations & sampleMask == sampleMask
    }

    /// Keeps a freed block in its bin.
    @inlinable @inline(__always)
    static func push(engine: UInt32, bin index: Int, granules: Int, byteCount: Int, address: UnsafeMutableRawPointer)
        -> Bool
    {
        guard let raw = unsafe tensorpool_enter(engine) else {
            tensorpool_leave()
            return false
        }
        let cache = unsafe raw.assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(index)
        let count = unsafe bin.pointee.count
        if unsafe count >= bin.pointee.limit || bin.pointee.granules != granules {
            tensorpool_leave()
            return false
        }
        unsafe bin.pointee.entries[Int(count)] = address
        unsafe bin.pointee.count = count &+ 1
        unsafe bin.pointee.frees &+= 1
        unsafe cache.pointee.freedBytes &+= byteCount
        tensorpool_leave()
        return true
    }

    /// Takes a block and a record for a handle.
    @inlinable @inline(__always)
    static func popTensor(engine: UInt32, bin index: Int, granules: Int, byteCount: Int, id: UInt64)
        -> (address: UnsafeMutableRawPointer, record: BlockRecordPointer, state: UInt64)?
    {
        guard let raw = unsafe tensorpool_enter(engine) else {
            tensorpool_leave()
            return nil
        }
        let cache = unsafe raw.assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(index)
        let records = unsafe cache.bin(CacheLayout.recordBin)
        let count = unsafe bin.pointee.count
        let recordCount = unsafe records.pointee.count
        let allocations = unsafe bin.pointee.allocations
        if unsafe count == 0 || recordCount == 0 || bin.pointee.granules != granules
            || allocations & sampleMask == sampleMask
        {
            tensorpool_leave()
            return nil
        }
        unsafe bin.pointee.count = count &- 1
        unsafe bin.pointee.allocations = allocations &+ 1
        unsafe records.pointee.count = recordCount &- 1
        let record = unsafe records.pointee.entries[Int(recordCount &- 1)]
            .assumingMemoryBound(to: BlockRecord.self)
        let address = unsafe bin.pointee.entries[Int(count &- 1)]
        let state = unsafe record.describe(
            address: address, byteCount: byteCount, id: id, owner: cache.pointee.ordinal)
        unsafe cache.noteAllocated(byteCount)
        tensorpool_leave()
        return unsafe (address, record, state)
    }

    /// Frees a live handle's block that this thread allocated.
    @inlinable @inline(__always)
    static func pushTensor(
        engine: UInt32, bin index: Int, granules: Int, byteCount: Int, address: UnsafeMutableRawPointer,
        record: BlockRecordPointer, state: UInt64
    ) -> Bool {
        guard let raw = unsafe tensorpool_enter(engine) else {
            tensorpool_leave()
            return false
        }
        let cache = unsafe raw.assumingMemoryBound(to: ThreadCache.self)
        let bin = unsafe cache.bin(index)
        let records = unsafe cache.bin(CacheLayout.recordBin)
        let count = unsafe bin.pointee.count
        let recordCount = unsafe records.pointee.count
        if unsafe record.pointee.state.load(ordering: .relaxed) != state
            || Int(truncatingIfNeeded: record.pointee.byteCountAndOwner & 0xFFFF) != cache.pointee.ordinal
            || count >= bin.pointee.limit || recordCount >= records.pointee.limit || bin.pointee.granules != granules
        {
            tensorpool_leave()
            return false
        }
        unsafe record.pointee.state.store(state &- RecordStatus.live, ordering: .relaxed)
        unsafe bin.pointee.entries[Int(count)] = address
        unsafe bin.pointee.count = count &+ 1
        unsafe bin.pointee.frees &+= 1
        unsafe records.pointee.entries[Int(recordCount)] = UnsafeMutableRawPointer(record)
        unsafe records.pointee.count = recordCount &+ 1
        unsafe cache.pointee.freedBytes &+= byteCount
        tensorpool_leave()
        return true
    }
}

extension UnsafeMutablePointer where Pointee == ThreadCache {
    @inlinable @inline(__always) func noteAllocated(_ byteCount: Int) {
        let allocated = unsafe pointee.allocatedBytes &+ byteCount
        unsafe pointee.allocatedBytes = allocated
        let live = unsafe allocated &- pointee.freedBytes
        if unsafe live > pointee.peakLiveBytes { unsafe pointee.peakLiveBytes = live }
    }
}

extension UnsafeMutablePointer where Pointee == BlockRecord {
    /// Makes a free record the description of a live tensor, and returns the state its handle carries.
    @inlinable @inline(__always)
    func describe(address: UnsafeMutableRawPointer, byteCount: Int, id: UInt64, owner: Int) -> UInt64 {
        unsafe pointee.tensorID = id
        unsafe pointee.address = address
        unsafe pointee.byteCountAndOwner =
            UInt64(truncatingIfNeeded: byteCount) &<< 16 | UInt64(truncatingIfNeeded: owner)
        let state = unsafe pointee.state.load(ordering: .relaxed) &+ RecordStatus.generationStep &+ RecordStatus.live
        // Release: a thread that gets the handle sees the description.
        unsafe pointee.state.store(state, ordering: .releasing)
        return state
    }
}
