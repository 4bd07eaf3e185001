/// The rounding sizes of blocks up to 32 KiB: multiples of 64 up to 256 bytes, then four to a doubling.
///
/// Every one of them is also a size class of jemalloc (jemalloc manual, "Size classes"), so a block wastes nothing
/// twice: of the block of a request over 256 bytes, less than a fifth is padding.
@frozen @usableFromInline enum SizeClass {
    /// How many classes there are.
    @usableFromInline static let count = 32
    /// The largest class in bytes.
    @usableFromInline static let maximumByteCount = 32 << 10

    /// The class of a request of 1 to 32,768 bytes.
    @inlinable @inline(__always) static func index(_ byteCount: Int) -> Int {
        let last = byteCount &- 1
        // 256 set: the requests below it share the spacing of the first doubling.
        let exponent = 63 &- (last | 256).leadingZeroBitCount
        return (last &>> (exponent &- 2)) &+ (exponent &- 8) &* 4
    }

    /// The size of a class in bytes.
    @inlinable static func byteCount(_ index: Int) -> Int {
        let doubling = index &>> 2
        guard doubling > 0 else { return (index &+ 1) &* 64 }
        return (256 &+ ((index & 3) &+ 1) &* 64) &<< (doubling &- 1)
    }

    /// The alignment that every block of a class has: the largest power of two in its size, at most a page.
    static func alignment(_ index: Int) -> Int {
        min(byteCount(index) & -byteCount(index), 4096)
    }

    /// The smallest class that holds `byteCount` bytes at `alignment`, or nil where none does.
    static func index(_ byteCount: Int, alignment requested: Int, ceiling: Int) -> Int? {
        guard byteCount <= ceiling, requested <= 4096 else { return nil }
        var candidate = index(byteCount)
        while candidate < count, SizeClass.byteCount(candidate) <= ceiling {
            if alignment(candidate) >= requested { return candidate }
            candidate += 1
        }
        return nil
    }
}
