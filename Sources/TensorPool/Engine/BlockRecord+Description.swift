internal import Jemalloc
internal import Synchronization

/// What a record says of its tensor: the id, and the bytes that were requested.
///
/// Both stand in one word where they take 32 bits each, as ids that count and tensors below 4 GiB do. Others stand in a
/// second page, which a chunk of records gets when one of them first needs it, so that a record costs 32 bytes there:
///
///     chunk   [ record 0 | record 1 | ...           | end ]  4 KiB, and aligned so: a record knows its chunk by its address
///                                                      |
///             [ id and bytes of 0 | of 1 | ...        ] <-+  4 KiB, or none
///
/// The end comes last, so that the records which a thread takes at a time begin and end with cache lines.
@safe struct RecordChunk: ~Copyable {
    static let byteCount = 4096
    /// Its records, the place of its end aside.
    static let capacity = unsafe byteCount / MemoryLayout<BlockRecord>.stride - 1
    static let endOffset = unsafe capacity * MemoryLayout<BlockRecord>.stride

    /// The address of its wide descriptions, or 0. It is set under the engine's lock, and read without.
    let wideDescriptions = Atomic<UInt>(0)
}

/// A description that does not fit in a record.
struct WideDescription {
    var id: UInt64
    var byteCount: Int
}

extension BlockRecord {
    /// Whether a description fits in a record. No size is 0, so the word that holds one is not, either.
    @inlinable @inline(__always) static func holds(byteCount: Int, id: UInt64) -> Bool {
        (id | UInt64(truncatingIfNeeded: byteCount)) &>> 32 == 0
    }
}

extension UnsafeMutablePointer where Pointee == BlockRecord {
    /// Makes a free record the description of a live tensor, and returns the state its handle carries. Nil, and nothing
    /// changed, where the description does not fit in it and its chunk has no wide ones.
    func describe(byteCount: Int, id: UInt64, step: UInt64) -> UInt64? {
        if unsafe BlockRecord.holds(byteCount: byteCount, id: id) {
            return unsafe describeNarrowly(byteCount: byteCount, id: id, step: step)
        }
        guard unsafe describeWidely(byteCount: byteCount, id: id) else { return nil }
        return unsafe makeLive(step)
    }

    /// The same of a description that fits.
    @inlinable @inline(__always)
    func describeNarrowly(byteCount: Int, id: UInt64, step: UInt64) -> UInt64 {
        unsafe pointee.description = id &<< 32 | UInt64(truncatingIfNeeded: byteCount)
        return unsafe makeLive(step)
    }

    /// Gives a free record a description that does not fit in it; false where its chunk has no wide ones.
    func describeWidely(byteCount: Int, id: UInt64) -> Bool {
        guard let place = unsafe widePlace else { return false }
        unsafe place.pointee = WideDescription(id: id, byteCount: byteCount)
        unsafe pointee.description = 0
        return true
    }

    /// What was described.
    var tensor: (id: UInt64, byteCount: Int) {
        let narrow = unsafe pointee.description
        guard narrow == 0 else { return (narrow >> 32, Int(narrow & 0xFFFF_FFFF)) }
        guard let wide = unsafe widePlace?.pointee else { stopProgram("a block record describes no tensor") }
        return (wide.id, wide.byteCount)
    }

    /// The end of the record's chunk. Records of static plans have none: they are never described.
    var chunk: UnsafeMutablePointer<RecordChunk> {
        let address = UInt(bitPattern: self) & ~UInt(RecordChunk.byteCount - 1) | UInt(RecordChunk.endOffset)
        return unsafe UnsafeMutablePointer<RecordChunk>(bitPattern: address).unsafelyUnwrapped
    }

    private var widePlace: UnsafeMutablePointer<WideDescription>? {
        let first = unsafe chunk.pointee.wideDescriptions.load(ordering: .acquiring)
        let offset = Int(UInt(bitPattern: self) & UInt(RecordChunk.byteCount - 1))
        guard let wide = unsafe UnsafeMutablePointer<WideDescription>(bitPattern: first) else { return nil }
        return unsafe wide + offset / MemoryLayout<BlockRecord>.stride
    }
}
