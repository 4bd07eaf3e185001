#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Pages that may not be written to, and pages that stay in memory.
extension SystemMemory {
    /// Makes whole pages read-only, or writable. The system's error number where it refuses.
    static func protect(_ start: UnsafeMutableRawPointer, _ byteCount: Int, isWritable: Bool) -> Int32? {
        guard byteCount > 0 else { return nil }
        let rights = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
        return unsafe mprotect(start, byteCount, rights) == 0 ? nil : errno
    }

    /// Locks whole pages in memory. False where the system refuses.
    static func lock(_ start: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
        guard byteCount > 0 else { return true }
        return unsafe mlock(start, byteCount) == 0
    }

    static func unlock(_ start: UnsafeMutableRawPointer, _ byteCount: Int) {
        if byteCount > 0 { unsafe munlock(start, byteCount) }
    }

    /// Bytes that a process without privileges may lock in memory; nil for no limit.
    static func memoryLockLimit() -> Int? {
        var limit = rlimit()
        #if canImport(Glibc)
        let failed = unsafe getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        #else
        let failed = unsafe getrlimit(RLIMIT_MEMLOCK, &limit)
        #endif
        guard failed == 0, limit.rlim_cur != rlim_t.max else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}
