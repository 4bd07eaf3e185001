import AllocationTrace
import CJemalloc

/// A block of jemalloc as it comes: its own choice of arena and thread cache, 64-byte aligned as tensors are.
///
/// Safe: it alone owns its memory, and its release consumes it.
@safe
struct JemallocBlock: ReplayBlock, ~Copyable {
    /// `MALLOCX_LG_ALIGN(6)`, a macro that Swift does not see.
    private static let flags: Int32 = 6

    let address: UnsafeMutableRawPointer

    static func allocate(byteCount: Int, id: Int, from source: borrowing Void) throws -> JemallocBlock {
        guard let address = unsafe mallocx(byteCount, flags) else { throw OutOfMemory() }
        // Fresh from jemalloc, and owned by nobody else.
        return unsafe JemallocBlock(address: address)
    }

    consuming func deallocate(byteCount: Int, id: Int, to source: borrowing Void) {
        // Size and alignment are those of the allocation, and the block is consumed here.
        unsafe sdallocx(address, byteCount, Self.flags)
    }

    private init(address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    /// Gives memory that jemalloc holds and nobody uses back to the system, so that what is resident before a replay
    /// is in use.
    static func releaseUnusedMemory() {
        // 4096 is MALLCTL_ARENAS_ALL. The key takes no value; where it fails, more is resident, and nothing else.
        _ = unsafe mallctl("arena.4096.purge", nil, nil, nil, 0)
    }

    /// The linked library's version, such as `5.3.0`.
    static var version: String? {
        var text: UnsafePointer<CChar>?
        var length = unsafe MemoryLayout.size(ofValue: text)
        // The key's value is a pointer to a string that lives as long as the library.
        guard unsafe mallctl("version", &text, &length, nil, 0) == 0, let text = unsafe text else { return nil }
        let version = unsafe String(cString: text)
        // What follows is the number of commits and the commit.
        return version.split(separator: "-").first.map(String.init)
    }
}
