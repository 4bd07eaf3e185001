/// A tensor's memory, named by a value that can be copied and stored.
///
/// A handle is checked when it is used with its pool: one that is stale, freed already, another pool's or another
/// tensor's is a thrown error, never corruption. What the check cannot cover is the bytes themselves: `baseAddress`
/// must not be used once the tensor is freed. Where the compiler should see to that, use a ``TensorBuffer``.
@frozen @safe public struct MemoryHandle: @unchecked Sendable, Hashable {
    /// The first byte, aligned to at least 64 bytes.
    public let baseAddress: UnsafeMutableRawPointer
    /// Bytes that were asked for, all of them writable.
    public let byteCount: Int
    /// The id the tensor was allocated with.
    public let tensorID: UInt64
    @usableFromInline let record: BlockRecordPointer
    @usableFromInline let state: UInt64
    @usableFromInline let serial: UInt64
    @usableFromInline let kind: BlockKind

    @inlinable init(
        baseAddress: UnsafeMutableRawPointer, byteCount: Int, tensorID: UInt64, record: BlockRecordPointer,
        state: UInt64, serial: UInt64, kind: BlockKind
    ) {
        unsafe self.baseAddress = baseAddress
        self.byteCount = byteCount
        self.tensorID = tensorID
        unsafe self.record = unsafe record
        self.state = state
        self.serial = serial
        self.kind = kind
    }

    @inlinable @inline(__always)
    init(_ tensor: HotPath.Tensor, byteCount: Int, tensorID: UInt64, serial: UInt64, kind: BlockKind) {
        unsafe self.init(
            baseAddress: tensor.address, byteCount: byteCount, tensorID: tensorID, record: tensor.record,
            state: tensor.state, serial: serial, kind: kind)
    }

    /// Whether two handles name the same tensor.
    @inlinable public static func == (left: Self, right: Self) -> Bool {
        unsafe left.record == right.record && left.state == right.state && left.serial == right.serial
    }

    /// Hashes what makes a handle unique.
    public func hash(into hasher: inout Hasher) {
        unsafe hasher.combine(record)
        hasher.combine(state)
        hasher.combine(serial)
    }

    /// The tensor's bytes.
    ///
    /// - Warning: Valid until the tensor is freed; the handle cannot tell whether it was.
    @unsafe @inlinable public var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: baseAddress, count: byteCount)
    }
}

extension MemoryHandle: CustomStringConvertible {
    /// The tensor's id and size.
    public var description: String { "tensor \(tensorID), \(byteCount) bytes" }
}
