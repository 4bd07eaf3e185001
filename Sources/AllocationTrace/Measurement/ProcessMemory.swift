#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// This process's memory as the system counts it. Every figure is in bytes.
///
/// Linux keeps these counts per core and adds them up now and then: they may be off by some 100 KiB a core.
public enum ProcessMemory {
    /// What is resident now, counted page by page where the system can: exact, for milliseconds a gibibyte.
    public static var exactResidentBytes: Int {
        SystemFile.number(named: "Rss", in: "/proc/self/smaps_rollup").map { $0 * 1024 } ?? residentBytes
    }

    /// What is resident now.
    static var residentBytes: Int {
        #if os(Linux)
        let pages = SystemFile.contents(of: "/proc/self/statm")?.split(separator: " ").dropFirst().first
        return pages.flatMap { Int($0) }.map { $0 * sysconf(Int32(_SC_PAGESIZE)) } ?? 0
        #else
        var info = rusage_info_v0()
        // The call fills the structure that its second argument names.
        unsafe withUnsafeMutablePointer(to: &info) { pointer in
            unsafe pointer.withMemoryRebound(to: rusage_info_t?.self, capacity: 1) { buffer in
                _ = unsafe proc_pid_rusage(getpid(), RUSAGE_INFO_V0, buffer)
            }
        }
        return Int(info.ri_resident_size)
        #endif
    }

    /// The most that has been resident since ``resetResidentPeak()``, or where that is refused since the start.
    static var residentPeakBytes: Int {
        #if os(Linux)
        if let kibibytes = SystemFile.number(named: "VmHWM", in: "/proc/self/status") { return kibibytes * 1024 }
        return resourceUsage.ru_maxrss * 1024
        #else
        return resourceUsage.ru_maxrss
        #endif
    }

    /// Sets the peak to what is resident now. False where the system refuses: only Linux can, and not in every container.
    static func resetResidentPeak() -> Bool {
        // The path is a literal's bytes, which outlive the call.
        let descriptor = unsafe open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // "5" resets the high-water mark and nothing else. One byte, of a string that outlives the call.
        return unsafe write(descriptor, "5", 1) == 1
    }

    /// What can still be written to without swapping, or nil where the system does not tell.
    package static var availableBytes: Int? {
        #if os(Linux)
        SystemFile.number(named: "MemAvailable", in: "/proc/meminfo").map { $0 * 1024 }
        #else
        sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)
        #endif
    }

    /// Page faults without input or output since the process started.
    static var minorPageFaults: Int { resourceUsage.ru_minflt }

    private static var resourceUsage: rusage {
        var usage = rusage()
        #if canImport(Glibc)
        let subject = __rusage_who_t(RUSAGE_SELF.rawValue)
        #else
        let subject = RUSAGE_SELF
        #endif
        // Fails only for an unknown subject or a bad address, and this address is a local's.
        unsafe getrusage(subject, &usage)
        return usage
    }
}
