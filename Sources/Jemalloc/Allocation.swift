public import CJemalloc

// jemalloc's extended allocation functions under their own names, with sizes in `Int` and refusals as errors.
// All of them may be called from any thread at any time; a block may be freed on another thread than it came from.
// Each is as unsafe as the pointer it takes or gives, which only the caller can vouch for, and adds nothing to that.

/// Allocates a block of at least `byteCount` bytes.
///
/// The contents are unspecified unless `flags` has ``AllocationFlags/zeroed``. Without an alignment flag the address is
/// a multiple of 16 for 16 bytes and more (jemalloc's quantum on 64-bit machines), of 8 below.
///
/// A pair with ``sdallocx(_:_:_:)`` of 64 bytes costs 15 ns through the thread's own cache, 30 ns through a
/// ``ThreadCache`` and 350 ns without a cache; of 64 KiB 700 ns (2-core x86-64 VM, jemalloc 5.3.0, uncontended).
///
/// - Throws: ``JemallocError`` with `EINVAL` where `byteCount` is not positive, with `ENOMEM` where it is larger than
///   jemalloc's largest size class or the system has no memory.
@inlinable
public func mallocx(
    _ byteCount: Int, _ flags: AllocationFlags = AllocationFlags()
) throws(JemallocError) -> UnsafeMutableRawPointer {
    // Zero is undefined behaviour for jemalloc, not a refusal.
    guard byteCount > 0, let pointer = unsafe cjemalloc_mallocx(byteCount, flags.rawValue) else {
        throw JemallocError.refused("mallocx", byteCount: byteCount, flags: flags)
    }
    return unsafe pointer
}

/// Resizes a block to at least `byteCount` bytes, moving it where needed, and keeps its contents up to the smaller size.
///
/// `pointer` is invalid afterwards, unless an error is thrown: then the block is as it was. A move from one arena to
/// another happens where `flags` names another arena and the block has to move.
///
/// - Throws: ``JemallocError`` as ``mallocx(_:_:)``.
@inlinable
public func rallocx(
    _ pointer: UnsafeMutableRawPointer, _ byteCount: Int, _ flags: AllocationFlags = AllocationFlags()
) throws(JemallocError) -> UnsafeMutableRawPointer {
    guard byteCount > 0, let moved = unsafe cjemalloc_rallocx(pointer, byteCount, flags.rawValue) else {
        throw JemallocError.refused("rallocx", byteCount: byteCount, flags: flags)
    }
    return unsafe moved
}

/// Resizes a block in place to at least `byteCount` bytes, and by up to `extra` bytes more where that is possible.
///
/// - Returns: The block's real size in bytes afterwards. Less than `byteCount` means that it could not grow in place.
/// - Throws: ``JemallocError`` with `EINVAL` where `byteCount` is not positive or `extra` is negative.
@inlinable
public func xallocx(
    _ pointer: UnsafeMutableRawPointer, _ byteCount: Int, extra: Int = 0, _ flags: AllocationFlags = AllocationFlags()
) throws(JemallocError) -> Int {
    guard byteCount > 0, extra >= 0 else {
        throw JemallocError.refused("xallocx", byteCount: byteCount > 0 ? extra : byteCount, flags: flags)
    }
    return unsafe cjemalloc_xallocx(pointer, byteCount, extra, flags.rawValue)
}

/// The real size of a block in bytes: what was asked, rounded up to its size class.
@inlinable
public func sallocx(_ pointer: UnsafeRawPointer, _ flags: AllocationFlags = AllocationFlags()) -> Int {
    unsafe cjemalloc_sallocx(pointer, flags.rawValue)
}

/// The real size in bytes that ``mallocx(_:_:)`` would give for the same arguments, without allocating.
///
/// - Throws: ``JemallocError`` with `EINVAL` where `byteCount` is not positive, with `ENOMEM` where no size class is as
///   large.
@inlinable
public func nallocx(_ byteCount: Int, _ flags: AllocationFlags = AllocationFlags()) throws(JemallocError) -> Int {
    let size = byteCount > 0 ? cjemalloc_nallocx(byteCount, flags.rawValue) : 0
    guard size > 0 else { throw JemallocError.refused("nallocx", byteCount: byteCount, flags: flags) }
    return size
}

/// Frees a block.
///
/// - Parameter flags: The thread cache to put it into, if not the thread's own. The arena is known from the address.
@inlinable
public func dallocx(_ pointer: UnsafeMutableRawPointer, _ flags: AllocationFlags = AllocationFlags()) {
    unsafe cjemalloc_dallocx(pointer, flags.rawValue)
}

/// Frees a block whose size is known, which spares jemalloc the look-up of it.
///
/// - Parameters:
///   - byteCount: What was asked for, or anything between that and the real size. A wrong size corrupts memory.
///   - flags: With the alignment that was asked for, and the thread cache to put it into.
@inlinable
public func sdallocx(
    _ pointer: UnsafeMutableRawPointer, _ byteCount: Int, _ flags: AllocationFlags = AllocationFlags()
) {
    unsafe cjemalloc_sdallocx(pointer, byteCount, flags.rawValue)
}
