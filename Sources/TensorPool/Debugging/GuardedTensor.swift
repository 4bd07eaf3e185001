internal import CDebugging

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A tensor that a debugging mode watches:
///
///     +----------+----------------+----------------------+----------+
///     | any      | 64 guard bytes | the tensor           | 64 guard |
///     +----------+----------------+----------------------+----------+
///     block      alignment before          byteCount          whatever the block has more
@safe struct GuardedTensor {
    /// The memory that was got.
    let block: UnsafeMutableRawPointer
    /// Bytes of it, as the limit counts them.
    let blockByteCount: Int
    /// The tensor's first byte.
    let address: UnsafeMutableRawPointer
    /// Requested bytes.
    let byteCount: Int
    /// Guard bytes before the tensor and after it.
    let guardsBefore: Int
    let guardsAfter: Int
    /// The pages between which it stands, where it does.
    let pages: GuardPages?
    let tensorID: UInt64?
    let isWeight: Bool
    let allocation: CodeLocation?
    var freeing: CodeLocation?

    /// What guard bytes hold.
    static let guardByte: UInt8 = 0xFA
    /// What fresh and freed bytes hold where memory is filled: jemalloc's own patterns.
    static let freshByte: UInt8 = 0xA5
    static let freedByte: UInt8 = 0x5A
    /// How many guard bytes there are on each side.
    static let guardCount = 64

    /// Writes the guard bytes, and keeps checkers from them.
    func placeGuards() {
        unsafe memset(address - guardsBefore, Int32(Self.guardByte), guardsBefore)
        unsafe memset(address + byteCount, Int32(Self.guardByte), guardsAfter)
        if guardsBefore > 0 { unsafe tensorpool_forbid_bytes(address - guardsBefore, guardsBefore) }
        if guardsAfter > 0 { unsafe tensorpool_forbid_bytes(address + byteCount, guardsAfter) }
    }

    /// What was written into the guard bytes, if anything. They may be read.
    func damage(freeing: CodeLocation?) -> [DebugFinding] {
        var findings: [DebugFinding] = []
        let before = unsafe UnsafeRawBufferPointer(start: address - guardsBefore, count: guardsBefore)
        // The last one changed: it is the closest to the tensor.
        if let last = unsafe before.lastIndex(where: { $0 != Self.guardByte }) {
            findings.append(DebugFinding(.writtenBefore, self, offset: last - guardsBefore, freeing: freeing))
        }
        let after = unsafe UnsafeRawBufferPointer(start: address + byteCount, count: guardsAfter)
        if let first = unsafe Self.firstChange(in: after, of: Self.guardByte) {
            findings.append(DebugFinding(.writtenPast, self, offset: byteCount + first, freeing: freeing))
        }
        return findings
    }

    /// What was written into the freed tensor, if anything. Its bytes may be read.
    func damageAfterFree() -> DebugFinding? {
        let bytes = unsafe UnsafeRawBufferPointer(start: address, count: byteCount)
        return unsafe Self.firstChange(in: bytes, of: Self.freedByte).map {
            DebugFinding(.writtenAfterFree, self, offset: $0)
        }
    }

    /// The first byte that is not `value`. At the speed of `memcmp` where there is none.
    private static func firstChange(in bytes: UnsafeRawBufferPointer, of value: UInt8) -> Int? {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
        if unsafe bytes[0] == value && memcmp(start, start + 1, bytes.count - 1) == 0 { return nil }
        return unsafe bytes.firstIndex { $0 != value }
    }
}
