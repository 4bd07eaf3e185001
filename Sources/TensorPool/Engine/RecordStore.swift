internal import Synchronization

/// The memory of block records: chunks that stay where they are until the engine ends, so that a stale handle can
/// always be compared with its record.
///
/// Free records are a list through themselves, the one that came back last first: so that taking one back needs no
/// memory, and a record costs no more than its 16 bytes.
@safe struct RecordStore: ~Copyable {
    private var chunks = AddressStack()
    /// How many chunks have wide descriptions.
    private var wideChunks = 0
    private var firstFree: BlockRecordPointer?

    init() { unsafe firstFree = nil }

    /// Bytes of all chunks, and of the list of them.
    var byteCount: Int {
        (chunks.count + wideChunks) * RecordChunk.byteCount + chunks.byteCount
    }

    /// Moves up to `count` free records to `entries`; makes a chunk where none is free. Returns how many were moved: none
    /// where there is no memory for a chunk.
    mutating func take(_ count: Int, into entries: UnsafeMutablePointer<UnsafeMutableRawPointer>) -> Int {
        if unsafe firstFree == nil { addChunk() }
        var taken = 0
        while taken < count, let record = unsafe firstFree {
            unsafe firstFree = unsafe record.nextFree
            unsafe entries[taken] = UnsafeMutableRawPointer(record)
            taken += 1
        }
        return taken
    }

    /// Takes back `count` records.
    mutating func put(_ entries: UnsafeMutablePointer<UnsafeMutableRawPointer>, _ count: Int) {
        for index in 0..<count { unsafe put(entries[index].assumingMemoryBound(to: BlockRecord.self)) }
    }

    private mutating func put(_ record: BlockRecordPointer) {
        unsafe record.nextFree = unsafe firstFree
        unsafe firstFree = unsafe record
    }

    private mutating func addChunk() {
        guard chunks.makeRoom(for: 1), let memory = unsafe Self.allocatePage() else { return }
        unsafe Self.end(memory).initialize(to: RecordChunk())
        let records = unsafe memory.bindMemory(to: BlockRecord.self, capacity: RecordChunk.capacity)
        // Backwards, so that the lowest record is handed out first.
        for index in (0..<RecordChunk.capacity).reversed() {
            unsafe (records + index).initialize(to: BlockRecord())
            unsafe put(records + index)
        }
        unsafe chunks.push(memory)
    }

    /// Sees to it that a record can be given a description; false where there is no memory for a wide one.
    mutating func prepare(_ record: BlockRecordPointer, byteCount: Int, id: UInt64) -> Bool {
        let chunk = unsafe record.chunk
        if unsafe BlockRecord.holds(byteCount: byteCount, id: id)
            || chunk.pointee.wideDescriptions.load(ordering: .relaxed) != 0
        {
            return true
        }
        guard let memory = unsafe Self.allocatePage() else { return false }
        unsafe memory.initializeMemory(
            as: WideDescription.self, repeating: WideDescription(id: 0, byteCount: 0), count: RecordChunk.capacity)
        unsafe chunk.pointee.wideDescriptions.store(UInt(bitPattern: memory), ordering: .releasing)
        wideChunks += 1
        return true
    }

    private static func allocatePage() -> UnsafeMutableRawPointer? {
        unsafe Backend.allocateBookkeeping(RecordChunk.byteCount, alignment: RecordChunk.byteCount)
    }

    private static func end(_ chunk: UnsafeMutableRawPointer) -> UnsafeMutablePointer<RecordChunk> {
        unsafe (chunk + RecordChunk.endOffset).assumingMemoryBound(to: RecordChunk.self)
    }

    /// Calls `body` with every record of a live handle.
    func forEachLive<E: Error>(_ body: (BlockRecordPointer) throws(E) -> Void) throws(E) {
        for place in 0..<chunks.count {
            let records = unsafe chunks[place].assumingMemoryBound(to: BlockRecord.self)
            for index in 0..<RecordChunk.capacity {
                let record = unsafe records + index
                if unsafe record.pointee.state.load(ordering: .acquiring) & RecordStatus.mask == RecordStatus.live {
                    unsafe try body(record)
                }
            }
        }
    }

    deinit {
        for place in 0..<chunks.count {
            let memory = unsafe chunks[place]
            let end = unsafe Self.end(memory)
            let wide = unsafe end.pointee.wideDescriptions.load(ordering: .relaxed)
            unsafe UnsafeMutableRawPointer(bitPattern: wide)?.deallocate()
            unsafe memory.assumingMemoryBound(to: BlockRecord.self).deinitialize(count: RecordChunk.capacity)
            unsafe end.deinitialize(count: 1)
            unsafe memory.deallocate()
        }
    }
}
