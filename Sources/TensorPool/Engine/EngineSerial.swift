/// What tells an engine from every one before and after, and is in its handles: its number above a count of engines.
///
/// The count comes again after 2^38 engines, at 100 us each in 318 days of nothing else; the serials of static plans have
/// a bit above these.
@frozen @usableFromInline enum EngineSerial {
    @usableFromInline static let claimBits: UInt64 = 38
    /// Bits of a serial: a route has sixteen more for the kind of block.
    static let bits: UInt64 = 48

    static func make(number: UInt32, claim: UInt64) -> UInt64 {
        UInt64(number) << claimBits | claim & (1 << claimBits - 1)
    }

    /// The engine's number.
    @inlinable @inline(__always) static func number(_ serial: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: serial &>> claimBits)
    }
}
