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
        let events = events(hierarchy, hierarchy.folder + own)
        var group = own
        var tightest: ControlGroupFigures?
        for _ in 0..<Self.maximumDepth {
            if let found = figures(hierarchy, hierarchy.folder + group, events),
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
        return tightest
    }

    private func figures(
        _ hierarchy: ControlGroupHierarchy, _ folder: String, _ events: (outOfMemory: Int?, limitHits: Int?)
    ) -> ControlGroupFigures? {
        let useFile = hierarchy.version == 2 ? "memory.current" : "memory.usage_in_bytes"
        guard let used = SmallFile.number("\(root)\(folder)/\(useFile)") else { return nil }
        let statistics = SmallFile.read("\(root)\(folder)/memory.stat", byteLimit: 64 << 10) ?? ""
        let limit: Int?
        var throttle: Int?
        let idleFiles: Int?
        if hierarchy.version == 2 {
            limit = Self.limit(SmallFile.number("\(root)\(folder)/memory.max"))
            throttle = Self.limit(SmallFile.number("\(root)\(folder)/memory.high"))
            idleFiles = SmallFile.number("inactive_file", in: statistics)
        } else {
            // The second one is the tightest of all groups above, those that cannot be seen from here included.
            limit = [
                SmallFile.number("\(root)\(folder)/memory.limit_in_bytes"),
                SmallFile.number("hierarchical_memory_limit", in: statistics),
            ].compactMap(Self.limit).min()
            idleFiles = SmallFile.number("total_inactive_file", in: statistics)
        }
        guard limit != nil || throttle != nil else { return nil }
        return ControlGroupFigures(
            file: "\(folder)/\(useFile)", usedByteCount: max(0, used - (idleFiles ?? 0)), limitByteCount: limit,
            throttleByteCount: throttle, outOfMemoryCount: events.outOfMemory, limitHitCount: events.limitHits)
    }

    private func events(_ hierarchy: ControlGroupHierarchy, _ folder: String) -> (outOfMemory: Int?, limitHits: Int?) {
        if hierarchy.version == 2 {
            let text = SmallFile.read("\(root)\(folder)/memory.events") ?? ""
            let counts = [SmallFile.number("oom", in: text), SmallFile.number("oom_kill", in: text)].compactMap(\.self)
            return (counts.max(), SmallFile.number("max", in: text))
        }
        let control = SmallFile.read("\(root)\(folder)/memory.oom_control") ?? ""
        return (SmallFile.number("oom_kill", in: control), SmallFile.number("\(root)\(folder)/memory.failcnt"))
    }

    /// A limit that limits: version 2 writes "max" for none, which is no number, version 1 a huge number.
    private static func limit(_ number: Int?) -> Int? {
        guard let number, number > 0, number < 1 << 60 else { return nil }
        return number
    }
}
