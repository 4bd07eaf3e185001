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

    /// The most urgent of the process's control group and those above it, by what cannot be given up: file pages that
    /// nobody used lately do not count (Linux, Documentation/admin-guide/cgroup-v2.rst, "memory.stat").
    private static func controlGroup(_ root: String) -> MemoryPressure? {
        let own = SmallFile.read(root + "/proc/self/cgroup") ?? ""
        var found: [MemoryPressure] = []
        for version in ControlGroupVersion.all {
            var group = version.path(in: own)
            while true {
                let folder = version.root + group
                if let share = usedPercent(root + folder, version) {
                    found.append(
                        MemoryPressure(
                            level: level(usedPercent: share),
                            source: "\(folder)/\(version.use): \(Int(share)) % of the limit"))
                }
                guard let slash = group.lastIndex(of: "/") else { break }
                group = String(group[..<slash])
            }
        }
        return found.max { $0.level < $1.level }
    }

    private static func usedPercent(_ folder: String, _ version: ControlGroupVersion) -> Double? {
        // "max" is no number, and version 1 writes a huge one for no limit.
        guard let used = SmallFile.number("\(folder)/\(version.use)"),
            let most = SmallFile.number("\(folder)/\(version.limit)"), most > 0, most < 1 << 60
        else { return nil }
        let statistics = SmallFile.read("\(folder)/memory.stat") ?? ""
        let idle = statistics.split(separator: "\n").first { $0.hasPrefix(version.idleFiles + " ") }
        let spare = idle.flatMap { Int($0.dropFirst(version.idleFiles.count + 1)) } ?? 0
        return 100 * Double(max(0, used - spare)) / Double(most)
    }

    /// Where a version of control groups keeps its figures.
    private struct ControlGroupVersion {
        let root: String
        let use: String
        let limit: String
        let idleFiles: String
        /// What the process's line in `/proc/self/cgroup` has before the path.
        let mark: String

        static let all = [
            ControlGroupVersion(
                root: "/sys/fs/cgroup", use: "memory.current", limit: "memory.max", idleFiles: "inactive_file",
                mark: "0::"),
            ControlGroupVersion(
                root: "/sys/fs/cgroup/memory", use: "memory.usage_in_bytes", limit: "memory.limit_in_bytes",
                idleFiles: "total_inactive_file", mark: ":memory:"),
        ]

        /// The process's group, without a slash at the end; empty for the root.
        func path(in text: String) -> String {
            for line in text.split(separator: "\n") {
                guard let place = line.firstRange(of: mark) else { continue }
                let path = line[place.upperBound...]
                return path == "/" ? "" : String(path)
            }
            return ""
        }
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
