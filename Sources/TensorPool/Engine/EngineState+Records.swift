internal import Synchronization

/// Block records: from the thread's cache, then the store.
extension EngineState {
    /// A record that describes a live tensor of the thread's, and the state of its handle; nil where there is no memory.
    mutating func takeRecord(describing byteCount: Int, id: UInt64, cache: ThreadCachePointer?)
        -> (record: BlockRecordPointer, state: UInt64)?
    {
        guard let record = unsafe takeRecord(cache: cache) else { return nil }
        let step = unsafe cache?.pointee.recordStep ?? RecordStatus.step(ofOwner: RecordStatus.noOwner)
        guard unsafe records.prepare(record, byteCount: byteCount, id: id),
            let state = unsafe record.describe(byteCount: byteCount, id: id, step: step)
        else {
            unsafe putRecord(record, cache: cache)
            return nil
        }
        return unsafe (record, state)
    }

    /// A free record; nil where there is no memory for one.
    private mutating func takeRecord(cache: ThreadCachePointer?) -> BlockRecordPointer? {
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
