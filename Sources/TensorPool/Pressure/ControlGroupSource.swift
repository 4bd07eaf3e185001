/// What the process's control group, and those above it, use of their memory limits. The tightest counts.
///
/// File pages that nobody used lately do not count as used: the kernel takes them before anything else.
public struct ControlGroupSource: MemoryPressureSource {
    private let root: String
    private let hierarchies: [ControlGroupHierarchy]

    /// Finds where control groups are mounted. They are looked for once; the process's group is looked up at each read.
    public init() { self.init(root: "") }

    package init(root: String) {
        self.root = root
        hierarchies = ControlGroupHierarchy.all(root: root)
    }

    /// The figures of the tightest group; nil where none has a limit or their files make no sense.
    public func read() -> MemoryPressureReading? {
        guard !hierarchies.isEmpty else { return nil }
        let membership = SmallFile.read(root + "/proc/self/cgroup", byteLimit: 64 << 10) ?? ""
        let figures = hierarchies.compactMap { tightest(in: $0, $0.group(in: membership)) }
        return figures.max { $0.usedPercent < $1.usedPercent }.map { .controlGroup($0) }
    }

    /// Groups further up than this are not looked at.
    private static let maximumDepth = 64

    private func tightest(in hierarchy: ControlGroupHierarchy, _ own: String) -> ControlGroupFigures? {
        var group = own
        var tightest: ControlGroupFigures?
        for _ in 0..<Self.maximumDepth {
            if let found = figures(hierarchy, group),
                tightest.map({ $0.usedPercent < found.usedPercent }) ?? true
            {
                tightest = found
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
        guard var tightest else { return nil }
        addEvents(to: &tightest, hierarchy, hierarchy.folder + own)
        return tightest
    }

    private func figures(_ hierarchy: ControlGroupHierarchy, _ group: String) -> ControlGroupFigures? {
        let isVersion2 = hierarchy.version == 2
        let folder = hierarchy.folder + group
        let useFile = isVersion2 ? "memory.current" : "memory.usage_in_bytes"
        guard let used = SmallFile.number("\(root)\(folder)/\(useFile)") else { return nil }
        func statistics() -> String { SmallFile.read("\(root)\(folder)/memory.stat", byteLimit: 64 << 10) ?? "" }
        var limit = Self.limit(
            SmallFile.number("\(root)\(folder)/\(isVersion2 ? "memory.max" : "memory.limit_in_bytes")"))
        let throttle = isVersion2 ? Self.limit(SmallFile.number("\(root)\(folder)/memory.high")) : nil
        if !isVersion2 && group.isEmpty {
            // The tightest of this group and all above it: those that cannot be seen from here, too.
            let tightest = Self.limit(SmallFile.number("hierarchical_memory_limit", in: statistics()))
            limit = [limit, tightest].compactMap(\.self).min()
        }
        guard limit != nil || throttle != nil else { return nil }
        let idleFiles = SmallFile.number(isVersion2 ? "inactive_file" : "total_inactive_file", in: statistics())
        return ControlGroupFigures(
            file: "\(folder)/\(useFile)", usedByteCount: max(0, used - (idleFiles ?? 0)), limitByteCount: limit,
            throttleByteCount: throttle)
    }

    private func addEvents(to figures: inout ControlGroupFigures, _ hierarchy: ControlGroupHierarchy, _ folder: String)
    {
        if hierarchy.version == 2 {
            let text = SmallFile.read("\(root)\(folder)/memory.events") ?? ""
            let counts = [SmallFile.number("oom", in: text), SmallFile.number("oom_kill", in: text)]
            figures.outOfMemoryCount = counts.compactMap(\.self).max()
            figures.limitHitCount = SmallFile.number("max", in: text)
        } else {
            let control = SmallFile.read("\(root)\(folder)/memory.oom_control") ?? ""
            figures.outOfMemoryCount = SmallFile.number("oom_kill", in: control)
            figures.limitHitCount = SmallFile.number("\(root)\(folder)/memory.failcnt")
        }
    }

    /// A limit that limits: version 2 writes "max" for none, which is no number, version 1 a huge number.
    private static func limit(_ number: Int?) -> Int? {
        guard let number, number > 0, number < 1 << 60 else { return nil }
        return number
    }
}
