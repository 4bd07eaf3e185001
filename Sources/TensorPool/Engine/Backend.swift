internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Memory from jemalloc for engines: nil where it is refused, by jemalloc or by a test.
enum Backend {
    /// Allocates a block.
    static func allocate(_ byteCount: Int, _ flags: AllocationFlags) -> UnsafeMutableRawPointer? {
        if FaultInjection.refuses(.allocation) { return nil }
        return unsafe try? mallocx(byteCount, flags)
    }

    /// Resizes a block in place, as far as that is possible. Returns its real size then; nil where nothing changed.
    static func resize(_ block: UnsafeMutableRawPointer, to byteCount: Int) -> Int? {
        if FaultInjection.refuses(.resizing) { return nil }
        return unsafe try? xallocx(block, byteCount, extra: 0, [])
    }

    /// Allocates memory for what describes blocks and threads, aligned to a cache line or as is asked. To be freed by
    /// `deallocate()`.
    static func allocateBookkeeping(_ byteCount: Int, alignment: Int = 64) -> UnsafeMutableRawPointer? {
        if FaultInjection.refuses(.bookkeeping) { return nil }
        var memory: UnsafeMutableRawPointer?
        // Swift's own allocation stops the program where there is no memory.
        return unsafe posix_memalign(&memory, alignment, byteCount) == 0 ? memory : nil
    }

    /// Frees a block of any arena: jemalloc knows which from the address.
    static func free(_ block: UnsafeMutableRawPointer) { unsafe dallocx(block, .withoutThreadCache) }
}
