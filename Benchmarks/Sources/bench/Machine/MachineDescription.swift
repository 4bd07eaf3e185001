import AllocationTrace
import Foundation

/// The machine that figures come from: without it they mean nothing.
struct MachineDescription: Codable, Equatable {
    /// As the system names it.
    let processor: String
    /// Cores that this process may use.
    let cores: Int
    let memoryBytes: Int
    /// Name and release.
    let kernel: String
    let pageBytes: Int
    /// `always`, `madvise` or `never`; nil where the system has no such setting.
    let transparentHugePages: String?
    /// When it was asked, ISO 8601 in universal time.
    let date: String

    static var current: MachineDescription {
        let information = ProcessInfo.processInfo
        return MachineDescription(
            processor: processorName ?? "unknown processor",
            cores: information.activeProcessorCount,
            memoryBytes: Int(information.physicalMemory),
            kernel: kernelName,
            pageBytes: sysconf(Int32(_SC_PAGESIZE)),
            transparentHugePages: hugePageSetting,
            date: Date.now.formatted(.iso8601)
        )
    }

    /// In one line.
    var line: String {
        var parts = [processor, "\(cores) cores", "\(memoryBytes >> 30) GiB", kernel, "\(pageBytes >> 10) KiB pages"]
        if let transparentHugePages { parts.append("huge pages: \(transparentHugePages)") }
        return (parts + [date]).joined(separator: ", ")
    }

    /// Processes that want a core, the average of the last minute; nil where the system does not tell.
    static var load: Double? {
        SystemFile.contents(of: "/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
    }

    private static var processorName: String? {
        #if os(Linux)
        let lines = SystemFile.contents(of: "/proc/cpuinfo")?.split(separator: "\n")
        let line = lines?.first { $0.hasPrefix("model name") } ?? lines?.first { $0.hasPrefix("CPU part") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        #else
        var bytes = [UInt8](repeating: 0, count: 256)
        var length = bytes.count
        // Fills at most `length` bytes of the array, and says how many.
        guard unsafe sysctlbyname("machdep.cpu.brand_string", &bytes, &length, nil, 0) == 0 else { return nil }
        return String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
        #endif
    }

    private static var kernelName: String {
        #if os(Linux)
        let release = SystemFile.contents(of: "/proc/sys/kernel/osrelease") ?? ""
        return "Linux " + release.trimmingCharacters(in: .whitespacesAndNewlines)
        #else
        return ProcessInfo.processInfo.operatingSystemVersionString
        #endif
    }

    /// The value in brackets of, say, `always [madvise] never`.
    private static var hugePageSetting: String? {
        let text = SystemFile.contents(of: "/sys/kernel/mm/transparent_hugepage/enabled")
        return text?.split(separator: "[").dropFirst().first?.split(separator: "]").first.map(String.init)
    }
}
