/// What the process's control group, and those above it, use of their memory limits. The group closest to its limit
/// counts, and the one closest to being slowed down (`memory.high`).
///
/// File pages that nobody used lately do not count as used: the kernel takes them before anything else.
public struct ControlGroupSource: MemoryPressureSource {
    private let root: String
    private let hierarchies: [ControlGroupHierarchy]
    /// Bytes of the machine: no limit above them is ever reached.
    let machineByteCount: Int

    /// Finds where control groups are mounted. They are looked for once; the process's group is looked up at each read.
    public init() { self.init(root: "") }

    package init(root: String) {
        self.root = root
        hierarchies = ControlGroupHierarchy.all(root: root)
        machineByteCount = AvailableMemorySource(root: root).totalByteCount() ?? SystemMemory.physicalByteCount
    }

    /// The figures of the group that uses most of its limit, and, where it is another one, of the group that uses most of
    /// its `memory.high`; none where no group has either or their files make no sense.
    public func read() -> [MemoryPressureReading] {
        let groups = groups()
        let closest = [Self.closest(groups, \.limitPercent), Self.closest(groups, \.throttlePercent)]
        return Set(closest.compactMap(\.self)).sorted().map { .controlGroup(withEvents(groups[$0])) }
    }

    /// The first group whose share in use is the highest; nil where none has such a share.
    private static func closest(_ groups: [Group], _ percent: (ControlGroupFigures) -> Double?) -> Int? {
        var closest: (index: Int, percent: Double)?
        for (index, group) in groups.enumerated() {
            guard let percent = percent(group.figures), percent > closest?.percent ?? -1 else { continue }
            closest = (index, percent)
        }
        return closest?.index
    }

    /// Bytes that this process can take before the first group reaches its limit; nil where none has one.
    func room() -> Int? {
        groups().compactMap { group in group.figures.limitByteCount.map { $0 - group.figures.usedByteCount } }.min()
    }

    /// The least limit of any group, be it one of slowing down; nil where none has one.
    func lowestLimit() -> Int? {
        groups().flatMap { [$0.figures.limitByteCount, $0.figures.throttleByteCount] }.compactMap(\.self).min()
    }

    /// A group with a limit.
    private struct Group {
        var figures: ControlGroupFigures
        let hierarchy: ControlGroupHierarchy
        /// The folder of the process's own group.
        let ownFolder: String
    }

    /// All groups that limit this process, the own ones first.
    private func groups() -> [Group] {
        guard !hierarchies.isEmpty else { return [] }
        let membership = SmallFile.read(root + "/proc/self/cgroup", byteLimit: 64 << 10) ?? ""
        return hierarchies.flatMap { groups(of: $0, from: $0.group(in: membership)) }
    }

    /// Groups further up than this are not looked at.
    private static let maximumDepth = 64

    private func groups(of hierarchy: ControlGroupHierarchy, from own: String) -> [Group] {
        var group = own
        var groups: [Group] = []
        for _ in 0..<Self.maximumDepth {
            if let found = figures(hierarchy, group) {
                groups.append(Group(figures: found, hierarchy: hierarchy, ownFolder: hierarchy.folder + own))
            }
            guard let slash = group.lastIndex(of: "/") else { break }
            group = String(group[..<slash])
            // A parent that does not count its children limits only its own processes.
            if hierarchy.version == 1,
                SmallFile.number(root + hierarchy.folder + group + "/memory.use_hierarchy") == 0
            {
                break
            }
        }
        return groups
    }

    private func figures(_ hierarchy: ControlGroupHierarchy, _ group: String) -> ControlGroupFigures? {
        let isVersion2 = hierarchy.version == 2
        let folder = hierarchy.folder + group
        let useFile = isVersion2 ? "memory.current" : "memory.usage_in_bytes"
        guard let used = SmallFile.number("\(root)\(folder)/\(useFile)") else { return nil }
        func statistics() -> String { SmallFile.read("\(root)\(folder)/memory.stat", byteLimit: 64 << 10) ?? "" }
        var limit = reachable(
            SmallFile.number("\(root)\(folder)/\(isVersion2 ? "memory.max" : "memory.limit_in_bytes")"))
        let throttle = isVersion2 ? reachable(SmallFile.number("\(root)\(folder)/memory.high")) : nil
        if !isVersion2 && group.isEmpty {
            // The tightest of this group and all above it: those that cannot be seen from here, too.
            let tightest = reachable(SmallFile.number("hierarchical_memory_limit", in: statistics()))
            limit = [limit, tightest].compactMap(\.self).min()
        }
        guard limit != nil || throttle != nil else { return nil }
        let idleFiles = SmallFile.number(isVersion2 ? "inactive_file" : "total_inactive_file", in: statistics())
        return ControlGroupFigures(
            file: "\(folder)/\(useFile)", usedByteCount: max(0, used - (idleFiles ?? 0)), limitByteCount: limit,
            throttleByteCount: throttle)
    }

    /// The figures with what the process's own group ran into.
    private func withEvents(_ group: Group) -> ControlGroupFigures {
        var figures = group.figures
        let folder = group.ownFolder
        if group.hierarchy.version == 2 {
            let text = SmallFile.read("\(root)\(folder)/memory.events") ?? ""
            let counts = [SmallFile.number("oom", in: text), SmallFile.number("oom_kill", in: text)]
            figures.outOfMemoryCount = counts.compactMap(\.self).max()
            figures.limitHitCount = SmallFile.number("max", in: text)
        } else {
            let control = SmallFile.read("\(root)\(folder)/memory.oom_control") ?? ""
            figures.outOfMemoryCount = SmallFile.number("oom_kill", in: control)
            figures.limitHitCount = SmallFile.number("\(root)\(folder)/memory.failcnt")
        }
        return figures
    }

    /// A limit that limits: version 2 writes "max" for none, which is no number, version 1 a huge number.
    private func reachable(_ number: Int?) -> Int? {
        guard let number, number > 0, number <= machineByteCount else { return nil }
        return number
    }
}
