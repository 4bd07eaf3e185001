public import Synchronization

/// What a measurement writes into each block that it allocates.
public enum Touch: String, CaseIterable, Codable, Sendable {
    /// Nothing: the allocator's work alone.
    case none
    /// One byte in every 4 KiB page: what it takes for the memory to be there.
    case page
    /// Every byte.
    case full
}

/// A way to touch, as a type, so that a measuring loop is specialised for each.
public protocol TouchAction {
    static func touch(_ address: UnsafeMutableRawPointer, byteCount: Int)
}

@usableFromInline enum TouchNothing: TouchAction {
    @inlinable static func touch(_ address: UnsafeMutableRawPointer, byteCount: Int) {}
}

@usableFromInline enum TouchPages: TouchAction {
    @usableFromInline static var pageSize: Int { 4096 }

    @inlinable static func touch(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        let end = unsafe address + byteCount
        var next = unsafe address
        while unsafe next < end {
            // Atomic because the compiler removes plain stores to memory that is about to be freed. It costs the same.
            // The byte lies within the block, and any byte is a valid `Atomic<UInt8>`.
            unsafe next.assumingMemoryBound(to: Atomic<UInt8>.self).pointee.store(1, ordering: .relaxed)
            unsafe next = (next + pageSize).alignedDown(toMultipleOf: pageSize)
        }
    }
}

@usableFromInline enum TouchBytes: TouchAction {
    @inlinable static func touch(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        // Within the block. No compiler sees that the block is about to be freed: see `SystemMallocBlock`.
        unsafe _ = address.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
    }
}
