import AllocationTrace
import Jemalloc

/// A block of jemalloc as it comes: its own choice of arena and thread cache, 64-byte aligned as tensors are.
///
/// Safe: it alone owns its memory, and its release consumes it.
@safe
struct JemallocBlock: ReplayBlock, ~Copyable {
    let address: UnsafeMutableRawPointer

    static func allocate(byteCount: Int, id: Int, from source: borrowing Void) throws -> JemallocBlock {
        unsafe JemallocBlock(address: try mallocx(byteCount, .alignment(64)))
    }

    consuming func deallocate(byteCount: Int, id: Int, to source: borrowing Void) {
        // Size and alignment are those of the allocation, and the block is consumed here.
        unsafe sdallocx(address, byteCount, .alignment(64))
    }

    private init(address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    /// Gives memory that jemalloc holds and nobody uses back to the system, so that what is resident before a replay
    /// is in use. Where it fails, more is resident, and nothing else.
    static func releaseUnusedMemory() { try? Arena.purgeAll() }

    /// The linked library's version, such as `5.3.0`.
    static var version: String? { (try? Version.linked).map { "\($0.major).\($0.minor).\($0.patch)" } }
}
