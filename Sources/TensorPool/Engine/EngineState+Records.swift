internal import Synchronization

/// Block records: from the thread's cache, then the store.
extension EngineState {
    /// A free record; nil where there is no memory for one.
    mutating func takeRecord(cache: ThreadCachePointer?) -> BlockRecordPointer? {
        guard let cache = unsafe cache else {
            var record = unsafe UnsafeMutableRawPointer(bitPattern: 64)!
            let taken = unsafe withUnsafeMutablePointer(to: &record) { unsafe records.take(1, into: $0) }
            return unsafe taken == 1 ? record.assumingMemoryBound(to: BlockRecord.self) : nil
        }
        let bin = unsafe cache.bin(CacheLayout.recordBin)
        if unsafe bin.pointee.count == 0 {
            let taken = unsafe records.take(bin.pointee.capacity / 2, into: bin.pointee.entries)
            guard taken > 0 else { return nil }
            unsafe bin.pointee.count = UInt32(taken)
        }
        unsafe bin.pointee.count -= 1
        return unsafe bin.pointee.entries[Int(bin.pointee.count)].assumingMemoryBound(to: BlockRecord.self)
    }

    /// Takes a free record back.
    mutating func putRecord(_ record: BlockRecordPointer, cache: ThreadCachePointer?) {
        var raw = UnsafeMutableRawPointer(record)
        guard let cache = unsafe cache else {
            unsafe records.put(&raw, 1)
            return
        }
        let bin = unsafe cache.bin(CacheLayout.recordBin)
        if unsafe Int(bin.pointee.count) == bin.pointee.capacity {
            let half = unsafe bin.pointee.capacity / 2
            unsafe records.put(bin.pointee.entries + half, half)
            unsafe bin.pointee.count = UInt32(half)
        }
        unsafe bin.pointee.entries[Int(bin.pointee.count)] = raw
        unsafe bin.pointee.count += 1
    }
}
