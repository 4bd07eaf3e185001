public import Synchronization

/// The pool's description of a block that a ``MemoryHandle`` names: 16 bytes, apart from the block.
///
/// `state` is a generation, the thread cache that owns the record, and one of three statuses. A handle carries the state
/// it was made with, so one comparison tells a live handle from a stale one. The thread that allocated a tensor frees it
/// with a plain load and a plain store. Any other thread first claims the record by compare-and-exchange and hands it to
/// the owner, who frees the block when it next takes a slow path. Should both free one handle at the same instant, the
/// owner's store wins and the claim comes to nothing: the block is freed once.
@usableFromInline @unsafe struct BlockRecord: ~Copyable {
    @usableFromInline let state: Atomic<UInt64>
    /// The tensor's id and size; see `BlockRecord+Description.swift`. In a free record of the store: the next one's address.
    @usableFromInline var description: UInt64

    init() {
        unsafe state = Atomic(RecordStatus.freed(0))
        unsafe description = 0
    }
}

/// How the state of a record is made up: two bits of status, 16 of the owner's ordinal, 46 of the generation. A
/// generation comes again after 2^46 tensors of one record, at 10 ns each in eight days. A free record names no owner: all
/// bits but the generation's are set, so that one addition makes its next tensor's state.
@frozen @usableFromInline enum RecordStatus {
    @usableFromInline static let live: UInt64 = 1
    @usableFromInline static let claimed: UInt64 = 2
    @usableFromInline static let free: UInt64 = 3
    @usableFromInline static let mask: UInt64 = 3
    @usableFromInline static let ownerShift: UInt64 = 2
    @usableFromInline static let generationStep: UInt64 = 1 << 18
    /// The owner's ordinal of a record that no thread cache owns.
    @usableFromInline static let noOwner = 0xFFFF

    /// The ordinal of the cache that owns a live or claimed tensor.
    @inlinable @inline(__always) static func owner(of state: UInt64) -> Int {
        Int(truncatingIfNeeded: (state &>> ownerShift) & 0xFFFF)
    }

    /// All but the generation.
    @usableFromInline static let ownerMask: UInt64 = generationStep &- 1

    /// What is to be added to the state of a free record to make it that of an owner's live tensor, a generation further.
    static func step(ofOwner owner: Int) -> UInt64 { (UInt64(owner) << ownerShift | live) + 1 }

    /// Whether a state is that of a live tensor whose owner has this step.
    @inlinable @inline(__always) static func isLive(_ state: UInt64, ofOwnerWith step: UInt64) -> Bool {
        (state &+ 1) & ownerMask == step
    }

    /// The state of a record whose tensor is freed.
    @inlinable @inline(__always) static func freed(_ state: UInt64) -> UInt64 { state | ownerMask }

    /// Whether two states speak of one tensor.
    static func isSameTensor(_ left: UInt64, _ right: UInt64) -> Bool {
        left & ~(generationStep - 1) == right & ~(generationStep - 1)
    }
}

@usableFromInline typealias BlockRecordPointer = UnsafeMutablePointer<BlockRecord>

extension UnsafeMutablePointer where Pointee == BlockRecord {
    /// The free record after this one. Of the pointer: a setter of the record's own would be an access of the whole of it,
    /// whose state another thread may be reading for a stale handle.
    var nextFree: BlockRecordPointer? {
        get { unsafe BlockRecordPointer(bitPattern: UInt(pointee.description)) }
        nonmutating set { unsafe pointee.description = UInt64(UInt(bitPattern: newValue)) }
    }

    /// Makes a free record that of a live tensor, and returns the state its handle carries.
    @inlinable @inline(__always) func makeLive(_ step: UInt64) -> UInt64 {
        let before = unsafe pointee.state.load(ordering: .relaxed)
        assert(RecordStatus.freed(before) == before, "a live record was made live anew")
        let state = before &+ step
        // Release: a thread that gets the handle sees the description.
        unsafe pointee.state.store(state, ordering: .releasing)
        return state
    }
}
