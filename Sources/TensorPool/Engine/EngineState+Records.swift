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
        if unsafe bin.pointee.isEmpty {
            let taken = unsafe records.take(bin.pointee.capacity / 2, into: bin.pointee.entries)
            guard taken > 0 else { return nil }
            unsafe bin.pointee.fill(taken)
        }
        return unsafe bin.pointee.pop().assumingMemoryBound(to: BlockRecord.self)
    }

    /// Takes a free record back.
    mutating func putRecord(_ record: BlockRecordPointer, cache: ThreadCachePointer?) {
        var raw = UnsafeMutableRawPointer(record)
        guard let cache = unsafe cache else {
            unsafe records.put(&raw, 1)
            return
        }
        let bin = unsafe cache.bin(CacheLayout.recordBin)
        if unsafe bin.pointee.isFull {
            unsafe bin.pointee.rearrange { entries, count in
                unsafe records.put(entries + count / 2, count - count / 2)
                return count / 2
            }
        }
        unsafe bin.pointee.push(raw)
    }
}
