internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What the kernel is asked about address ranges. Advice that is refused changes speed, never correctness, except
/// where a function says what it returned.
enum SystemMemory {
    /// The size of a huge page, and the alignment of slabs: 2 MiB.
    static let hugePageByteCount = 2 << 20

    /// Bytes of a page of the system.
    static let pageByteCount = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// Bytes rounded up to whole pages.
    static func wholePages(_ byteCount: Int) -> Int { (byteCount + pageByteCount - 1) & -pageByteCount }

    /// Bytes of memory that the machine has.
    static let physicalByteCount = Int(sysconf(Int32(_SC_PHYS_PAGES))) * pageByteCount

    /// Asks that the range be backed by huge pages.
    static func adviseHugePages(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        if FaultInjection.refuses(.advice) { return }
        #if os(Linux)
        _ = unsafe madvise(address, byteCount, 14)  // MADV_HUGEPAGE
        #endif
    }

    /// Asks that the range be backed by small pages.
    static func adviseSmallPages(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        if FaultInjection.refuses(.advice) { return }
        #if os(Linux)
        _ = unsafe madvise(address, byteCount, 15)  // MADV_NOHUGEPAGE
        #endif
    }

    /// Gives the pages of the range back; they read as zero afterwards. False where the kernel refuses.
    static func release(_ address: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
        if FaultInjection.refuses(.advice) { return false }
        #if os(Linux)
        return unsafe madvise(address, byteCount, 4) == 0  // MADV_DONTNEED
        #else
        return false
        #endif
    }

    /// Makes the pages of the range resident. One call where the kernel has MADV_POPULATE_WRITE (Linux 5.14), a write
    /// to each page elsewhere; the contents stay as they are.
    static func populate(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        #if os(Linux)
        let populateWrite: Int32 = 23  // MADV_POPULATE_WRITE
        if !FaultInjection.refuses(.population), unsafe madvise(address, byteCount, populateWrite) == 0 { return }
        #endif
        for offset in stride(from: 0, to: byteCount, by: pageByteCount) {
            let byte = unsafe (address + offset).assumingMemoryBound(to: UInt8.self)
            unsafe byte.pointee = byte.pointee
        }
    }

    /// Page faults of the calling thread so far; where the system does not tell them apart, of the process.
    static var threadPageFaults: Int {
        var usage = rusage()
        #if os(Linux)
        unsafe getrusage(1, &usage)  // RUSAGE_THREAD
        #else
        unsafe getrusage(RUSAGE_SELF, &usage)
        #endif
        return usage.ru_minflt
    }

    /// Bytes of this process that are resident, or nil where the system does not tell.
    static func residentByteCount() -> Int? {
        guard let fields = SmallFile.read("/proc/self/statm")?.split(separator: " "), fields.count > 1,
            let pages = Int(fields[1])
        else { return nil }
        return pages * pageByteCount
    }
}
