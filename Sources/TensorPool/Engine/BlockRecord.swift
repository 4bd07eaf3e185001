public import Synchronization

/// The pool's description of a block that a ``MemoryHandle`` names: 32 bytes, apart from the block.
///
/// `state` is the generation times 4 plus one of three statuses. A handle carries the state it was made with, so one
/// comparison tells a live handle from a stale one. The thread that allocated a tensor frees it with a plain load and
/// a plain store. Any other thread first claims the record by compare-and-exchange and hands it to the owner, who
/// frees the block when it next takes a slow path. Should both free one handle at the same instant, the owner's store
/// wins and the claim comes to nothing: the block is freed once.
@usableFromInline @unsafe struct BlockRecord: ~Copyable {
    @usableFromInline let state: Atomic<UInt64>
    @usableFromInline var tensorID: UInt64
    @usableFromInline var address: UnsafeMutableRawPointer
    /// Requested bytes times 2^16, plus the ordinal of the owner's cache.
    @usableFromInline var byteCountAndOwner: UInt64

    init(address: UnsafeMutableRawPointer) {
        unsafe state = Atomic(0)
        unsafe tensorID = 0
        unsafe self.address = address
        unsafe byteCountAndOwner = 0
    }
}

@frozen @usableFromInline enum RecordStatus {
    @usableFromInline static let free: UInt64 = 0
    @usableFromInline static let live: UInt64 = 1
    @usableFromInline static let claimed: UInt64 = 2
    @usableFromInline static let mask: UInt64 = 3
    @usableFromInline static let generationStep: UInt64 = 4
    /// The owner's ordinal of a record that no thread cache owns.
    @usableFromInline static let noOwner = 0xFFFF
}

@usableFromInline typealias BlockRecordPointer = UnsafeMutablePointer<BlockRecord>
