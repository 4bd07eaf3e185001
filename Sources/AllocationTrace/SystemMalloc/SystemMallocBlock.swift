#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A block of the process's malloc, 64-byte aligned as tensors are.
///
/// That is the system's malloc only in a process that does not link jemalloc. Safe: it alone owns its memory, and
/// its release consumes it.
@safe
public struct SystemMallocBlock: ReplayBlock, ~Copyable {
    /// The first byte.
    public let address: UnsafeMutableRawPointer

    /// Allocates by `posix_memalign`; throws ``OutOfMemory`` where the system refuses.
    @inlinable public static func allocate(
        byteCount: Int, id: Int, from source: borrowing Void
    ) throws -> SystemMallocBlock {
        guard let address = unsafe allocateAligned(byteCount) else { throw OutOfMemory() }
        // Fresh from malloc, and owned by nobody else.
        return unsafe SystemMallocBlock(address: address)
    }

    /// Frees the block.
    @inlinable public consuming func deallocate(byteCount: Int, id: Int, to source: borrowing Void) {
        // Consumed here, so that nobody uses or releases it again.
        unsafe Self.release(address)
    }

    @usableFromInline init(address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    @usableFromInline static func allocateAligned(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        var address: UnsafeMutableRawPointer?
        // Writes to the local only, and only where it succeeds.
        return unsafe posix_memalign(&address, 64, byteCount) == 0 ? address : nil
    }

    /// Not inlined: a compiler that sees `free` drops every write to the block, and a measurement would touch nothing.
    @inline(never) @usableFromInline static func release(_ address: UnsafeMutableRawPointer) {
        // The address came from `posix_memalign`, and its only owner is being consumed.
        unsafe free(address)
    }
}
