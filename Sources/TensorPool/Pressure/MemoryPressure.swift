#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// How short of memory the system says it is, and by which of its figures.
public struct MemoryPressure: Sendable, Hashable {
    /// The level.
    public let level: MemoryPressureLevel
    /// The figure that set the level, as a file and what it said.
    public let source: String

    /// Reads the pressure now: stalls on memory (`/proc/pressure/memory`), the control group's use of its limit
    /// (version 2 or 1), and the memory available to new work (`/proc/meminfo`). The most urgent of them counts.
    ///
    /// Cost: a few files of the system, about 50 microseconds.
    public static func current() -> MemoryPressure { current(root: "") }

    /// Reads below another root than `/`, for tests.
    static func current(root: String) -> MemoryPressure {
        let sources = [stalls(root), controlGroup(root), available(root)].compactMap(\.self)
        return sources.max { $0.level < $1.level }
            ?? MemoryPressure(level: .none, source: "this system tells nothing of memory pressure")
    }

    /// The share of time in the last ten seconds in which work waited for memory. Some of it is normal under load; all
    /// work waiting for a tenth of the time is thrashing (Linux, Documentation/accounting/psi.rst).
    private static func stalls(_ root: String) -> MemoryPressure? {
        let path = "/proc/pressure/memory"
        guard let text = SmallFile.read(root + path) else { return nil }
        var shares: [Substring: Double] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let kind = fields.first, let average = fields.first(where: { $0.hasPrefix("avg10=") }) else {
                continue
            }
            shares[kind] = Double(average.dropFirst(6))
        }
        guard let some = shares["some"] else { return nil }
        let full = shares["full"] ?? 0
        let level: MemoryPressureLevel =
            full >= 10 ? .critical : full >= 2 || some >= 20 ? .high : some >= 5 ? .moderate : some >= 1 ? .low : .none
        return MemoryPressure(level: level, source: "\(path): some \(some) %, full \(full) % of 10 s")
    }

    private static func controlGroup(_ root: String) -> MemoryPressure? {
        for (use, limit) in [
            ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.max"),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        ] {
            // "max" is no number, and version 1 writes a huge one for no limit.
            guard let used = SmallFile.number(root + use), let most = SmallFile.number(root + limit),
                most > 0, most < 1 << 60
            else { continue }
            let share = 100 * Double(used) / Double(most)
            return MemoryPressure(level: level(usedPercent: share), source: "\(use): \(Int(share)) % of the limit")
        }
        return nil
    }

    private static func available(_ root: String) -> MemoryPressure? {
        let path = "/proc/meminfo"
        guard let text = SmallFile.read(root + path) else { return nil }
        func kilobytes(_ name: String) -> Double? {
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }) else { return nil }
            return line.split(separator: " ").dropFirst().first.flatMap { Double($0) }
        }
        guard let total = kilobytes("MemTotal"), let free = kilobytes("MemAvailable"), total > 0 else { return nil }
        let share = 100 * (1 - free / total)
        return MemoryPressure(level: level(usedPercent: share), source: "\(path): \(Int(share)) % of memory in use")
    }

    private static func level(usedPercent share: Double) -> MemoryPressureLevel {
        share >= 97 ? .critical : share >= 93 ? .high : share >= 88 ? .moderate : share >= 80 ? .low : .none
    }
}

/// Files of the system that fit into a page.
enum SmallFile {
    /// The text of a file, or nil where it cannot be read.
    static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return unsafe withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer -> String? in
            #if canImport(Darwin)
            let length = unsafe Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #elseif canImport(Glibc)
            let length = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
            let length = unsafe Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
            return length > 0 ? unsafe String(decoding: buffer.prefix(length), as: UTF8.self) : nil
        }
    }

    /// The number a file begins with.
    static func number(_ path: String) -> Int? {
        guard let text = read(path) else { return nil }
        return text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}
