#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The facts about a machine that decide what an allocation trace of it means.
public struct TraceMachine: Sendable, Equatable, Codable {
    static let maximumNameLength = 200

    /// The operating system, its release and the processor's architecture, such as `Linux 6.1.0 x86_64`.
    public var operatingSystem: String
    /// How many processors are there.
    public var processorCount: Int
    /// Bytes of a page of memory.
    public var pageBytes: Int
    /// Bytes of physical memory.
    public var memoryBytes: Int

    /// A machine by its facts.
    public init(operatingSystem: String, processorCount: Int, pageBytes: Int, memoryBytes: Int) {
        self.operatingSystem = operatingSystem
        self.processorCount = processorCount
        self.pageBytes = pageBytes
        self.memoryBytes = memoryBytes
    }

    /// This machine.
    public static var current: TraceMachine {
        let pageBytes = sysconf(Int32(_SC_PAGESIZE))
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return TraceMachine(
            operatingSystem: systemName, processorCount: sysconf(Int32(_SC_NPROCESSORS_ONLN)), pageBytes: pageBytes,
            memoryBytes: pages.multipliedReportingOverflow(by: pageBytes).partialValue)
    }

    private static var systemName: String {
        var name = utsname()
        // The system fills in the struct, each field a text that ends in a zero within it.
        guard unsafe uname(&name) == 0 else { return "" }
        func text<Field>(_ field: inout Field) -> String {
            unsafe withUnsafeBytes(of: &field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return [text(&name.sysname), text(&name.release), text(&name.machine)].joined(separator: " ")
    }
}
