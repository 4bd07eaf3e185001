/// A block of memory as a Swift program gets it: what a measuring loop has to know of an allocator.
///
/// The loops are generic over it and inlinable, so that each worker gets a copy for each kind of block, with no call
/// through a table in it.
public protocol Block: ~Copyable {
    /// The allocator.
    associatedtype Source

    /// Allocates bytes, 64-byte aligned where the kind of block can be.
    static func allocate(_ byteCount: Int, from source: borrowing Source) -> Self

    /// Gives the block back.
    consuming func free(to source: borrowing Source)

    /// The block's first byte.
    var address: UnsafeMutableRawPointer { get }
}
