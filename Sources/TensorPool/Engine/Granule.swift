/// The unit of the span heap: 16 KiB.
///
/// Small enough that rounding costs a 64 KiB tensor nothing and a 17 KiB tensor one granule, large enough that what
/// describes a granule is a thousandth of it.
@frozen @usableFromInline enum Granule {
    @usableFromInline static let shift = 14
    @usableFromInline static let byteCount = 1 << 14

    /// How many granules hold `byteCount` bytes.
    @inlinable @inline(__always) static func count(_ byteCount: Int) -> Int {
        (byteCount &+ (Granule.byteCount &- 1)) &>> shift
    }
}
