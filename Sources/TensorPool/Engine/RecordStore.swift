internal import Synchronization

/// The memory of block records: chunks that stay where they are until the engine ends, so that a stale handle can
/// always be compared with its record.
@safe struct RecordStore: ~Copyable {
    static let chunkCapacity = 512
    private(set) var chunks: [BlockRecordPointer] = unsafe []
    private(set) var free = AddressStack()

    /// Bytes of all chunks.
    var byteCount: Int { unsafe chunks.count * Self.chunkCapacity * MemoryLayout<BlockRecord>.stride }

    /// Moves up to `count` free records to `entries`; makes a chunk where none is free. Returns how many were moved: none
    /// where there is no memory for a chunk.
    mutating func take(_ count: Int, into entries: UnsafeMutablePointer<UnsafeMutableRawPointer>) -> Int {
        if free.count == 0 { addChunk() }
        return unsafe free.pop(count, into: entries)
    }

    /// Takes back `count` records.
    mutating func put(_ entries: UnsafeMutablePointer<UnsafeMutableRawPointer>, _ count: Int) {
        unsafe free.push(entries, count)
    }

    private mutating func addChunk() {
        guard
            let memory = unsafe Backend.allocateBookkeeping(Self.chunkCapacity * MemoryLayout<BlockRecord>.stride)
        else { return }
        let chunk = unsafe memory.bindMemory(to: BlockRecord.self, capacity: Self.chunkCapacity)
        // Backwards, so that the lowest record is handed out first.
        for index in (0..<Self.chunkCapacity).reversed() {
            unsafe (chunk + index).initialize(to: BlockRecord())
            unsafe free.push(UnsafeMutableRawPointer(chunk + index))
        }
        unsafe chunks.append(chunk)
    }

    /// Calls `body` with every record of a live handle.
    func forEachLive<E: Error>(_ body: (BlockRecordPointer) throws(E) -> Void) throws(E) {
        for place in unsafe chunks.indices {
            let chunk = unsafe chunks[place]
            for index in 0..<Self.chunkCapacity {
                let record = unsafe chunk + index
                if unsafe record.pointee.state.load(ordering: .acquiring) & RecordStatus.mask == RecordStatus.live {
                    unsafe try body(record)
                }
            }
        }
    }

    deinit {
        for place in unsafe chunks.indices {
            let chunk = unsafe chunks[place]
            unsafe chunk.deinitialize(count: Self.chunkCapacity)
            unsafe UnsafeMutableRawPointer(chunk).deallocate()
        }
    }
}
