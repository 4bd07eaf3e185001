/// A block of memory that some allocator hands out: what a measurement has to know of that allocator.
///
/// The conforming type is the block itself, so that it may be noncopyable (an associated type may not be). Measuring
/// loops are generic over it and specialise: no existential, no reference counting, no table look-up in the loop.
/// The allocator is ``Source``: a reference to a pool, or `Void` where the allocator is the process's.
///
/// Implement both functions with plain `throws`, and keep every `throw` of a typed error in functions that are not
/// inlined into them: Swift 6.3 leaves the call unspecialised where an implementation holds one.
public protocol ReplayBlock: ~Copyable {
    associatedtype Source

    /// Allocates `byteCount` writable bytes.
    /// - Parameters:
    ///   - byteCount: above 0.
    ///   - id: tells the blocks alive apart, dense from 0, used again after the block with it is gone.
    static func allocate(byteCount: Int, id: Int, from source: borrowing Source) throws -> Self

    /// Gives the block back. `byteCount` and `id` are those of its allocation.
    consuming func deallocate(byteCount: Int, id: Int, to source: borrowing Source) throws

    /// The first of the block's bytes.
    var address: UnsafeMutableRawPointer { get }
}
