internal import Synchronization

/// The memory of block records: chunks that stay where they are until the engine ends, so that a stale handle can
/// always be compared with its record.
///
/// Free records are a list through themselves, the one that came back last first: so that taking one back needs no
/// memory, and a record costs no more than its 24 bytes.
@safe struct RecordStore: ~Copyable {
    static let chunkCapacity = 512
    private var chunks = AddressStack()
    private var firstFree: BlockRecordPointer?

    init() { unsafe firstFree = nil }

    /// Bytes of all chunks, and of the list of them.
    var byteCount: Int {
        unsafe chunks.count * Self.chunkCapacity * MemoryLayout<BlockRecord>.stride + chunks.byteCount
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
        guard chunks.makeRoom(for: 1),
            let memory = unsafe Backend.allocateBookkeeping(Self.chunkCapacity * MemoryLayout<BlockRecord>.stride)
        else { return }
        let chunk = unsafe memory.bindMemory(to: BlockRecord.self, capacity: Self.chunkCapacity)
        // Backwards, so that the lowest record is handed out first.
        for index in (0..<Self.chunkCapacity).reversed() {
            unsafe (chunk + index).initialize(to: BlockRecord())
            unsafe put(chunk + index)
        }
        unsafe chunks.push(memory)
    }

    private func chunk(_ place: Int) -> BlockRecordPointer {
        unsafe chunks[place].assumingMemoryBound(to: BlockRecord.self)
    }

    /// Calls `body` with every record of a live handle.
    func forEachLive<E: Error>(_ body: (BlockRecordPointer) throws(E) -> Void) throws(E) {
        for place in 0..<chunks.count {
            let chunk = unsafe chunk(place)
            for index in 0..<Self.chunkCapacity {
                let record = unsafe chunk + index
                if unsafe record.pointee.state.load(ordering: .acquiring) & RecordStatus.mask == RecordStatus.live {
                    unsafe try body(record)
                }
            }
        }
    }

    deinit {
        for place in 0..<chunks.count {
            let chunk = unsafe chunk(place)
            unsafe chunk.deinitialize(count: Self.chunkCapacity)
            unsafe UnsafeMutableRawPointer(chunk).deallocate()
        }
    }
}
