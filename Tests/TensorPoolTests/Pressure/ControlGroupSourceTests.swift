import Foundation
import PoolModel
import Testing

@testable import TensorPool

@Suite struct ControlGroupSourceTests {
    private static func figures(_ files: [String: String]) throws -> ControlGroupFigures? {
        let files = try SystemFiles(files)
        guard case .controlGroup(let figures)? = ControlGroupSource(root: files.root).read().first else { return nil }
        return figures
    }

    private static func level(_ figures: ControlGroupFigures?) throws -> MemoryPressureLevel {
        MemoryPressureThresholds().level(of: .controlGroup(try found(figures)))
    }

    @Test func mountsAreFoundWhereTheyAre() throws {
        let mounts = """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
            35 31 0:32 / /groups\\040of\\040mine/memory rw,relatime shared:1 - cgroup cgroup rw,memory
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

            """
        let one = try Self.figures([
            "proc/self/mountinfo": mounts, "proc/self/cgroup": "5:cpu:/x\n4:memory:/job\n0::/\n",
            "groups of mine/memory/job/memory.usage_in_bytes": "50",
            "groups of mine/memory/job/memory.limit_in_bytes": "100",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "99", "sys/fs/cgroup/memory/memory.limit_in_bytes": "100",
        ])
        #expect(one?.usedPercent == 50, "the usual folder is not looked at where mounts are known")
        let two = try Self.figures([
            "proc/self/mountinfo": mounts, "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/unified/a/b/memory.current": "10", "sys/fs/cgroup/unified/a/b/memory.max": "max",
            "sys/fs/cgroup/unified/a/memory.current": "70", "sys/fs/cgroup/unified/a/memory.max": "100",
        ])
        #expect(two?.file == "/sys/fs/cgroup/unified/a/memory.current" && two?.limitByteCount == 100)
    }

    @Test func aContainersMountShowsItsGroupAsTheRoot() throws {
        let figures = try Self.figures([
            "proc/self/mountinfo": "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
            "proc/self/cgroup": "4:memory:/docker/abc/worker\n",
            "sys/fs/cgroup/memory/worker/memory.usage_in_bytes": "90",
            "sys/fs/cgroup/memory/worker/memory.limit_in_bytes": "100",
        ])
        #expect(figures?.usedPercent == 90)
        let own = try Self.figures([
            "proc/self/mountinfo": "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
            "proc/self/cgroup": "4:memory:/docker/abc\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "80",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "100",
        ])
        #expect(own?.usedPercent == 80)
    }

    @Test func theTighterOfTwoLimitsCounts() throws {
        let slowed = try Self.figures([
            "sys/fs/cgroup/memory.current": "990", "sys/fs/cgroup/memory.max": "2000",
            "sys/fs/cgroup/memory.high": "1000",
        ])
        #expect(slowed?.usedPercent == 99 && slowed?.throttleByteCount == 1000)
        #expect(try Self.level(slowed) == .high, "nobody is killed at memory.high")
        let onlySlowed = try Self.figures([
            "sys/fs/cgroup/memory.current": "990", "sys/fs/cgroup/memory.max": "max",
            "sys/fs/cgroup/memory.high": "1000",
        ])
        #expect(onlySlowed?.limitByteCount == nil)
        #expect(try Self.level(onlySlowed) == .high)
        let killed = try Self.figures([
            "sys/fs/cgroup/memory.current": "990", "sys/fs/cgroup/memory.max": "1000",
            "sys/fs/cgroup/memory.high": "2000",
        ])
        #expect(try Self.level(killed) == .critical)
    }

    /// A group that is slowed down, above or below one whose processes will be killed.
    @Test(arguments: ["job", "job/worker"]) func aThrottleHidesNoLimit(throttled: String) throws {
        let limited = throttled == "job" ? "job/worker" : "job"
        let files = try SystemFiles([
            "proc/self/cgroup": "0::/job/worker\n",
            "sys/fs/cgroup/\(throttled)/memory.current": "1000", "sys/fs/cgroup/\(throttled)/memory.max": "max",
            "sys/fs/cgroup/\(throttled)/memory.high": "1000",
            "sys/fs/cgroup/\(limited)/memory.current": "99", "sys/fs/cgroup/\(limited)/memory.max": "100",
        ])
        let pressure = MemoryPressure.current(root: files.root)
        #expect(pressure.level == .critical && pressure.readings.count == 2)
        #expect(pressure.source == "/sys/fs/cgroup/\(limited)/memory.current: 99 % of the limit")
        // Far from its limit, the throttle is what is told.
        try files.write("sys/fs/cgroup/\(limited)/memory.current", "50")
        let slowed = MemoryPressure.current(root: files.root)
        #expect(slowed.level == .high)
        #expect(slowed.source == "/sys/fs/cgroup/\(throttled)/memory.current: 100 % of memory.high")
    }

    /// What can be taken is what every group has room for, the fullest and the smallest alike.
    @Test func theGroupWithTheLeastRoomCounts() throws {
        let files = try SystemFiles([
            "proc/meminfo": "MemTotal: \(200 << 20) kB\nMemAvailable: \(1 << 20) kB\n",
            "proc/self/cgroup": "0::/job/worker\n4:memory:/old\n",
            "sys/fs/cgroup/job/memory.current": "\(90 << 30)", "sys/fs/cgroup/job/memory.max": "\(100 << 30)",
            "sys/fs/cgroup/job/worker/memory.current": "\(512 << 20)",
            "sys/fs/cgroup/job/worker/memory.max": "\(1 << 30)",
        ])
        let source = ControlGroupSource(root: files.root)
        #expect(source.room() == 512 << 20)
        try files.write("sys/fs/cgroup/job/memory.current", "\(100 << 30 - 4096)")
        #expect(source.room() == 4096)
        // A group that is only slowed down has no limit.
        try files.write("sys/fs/cgroup/job/memory.max", "max")
        try files.write("sys/fs/cgroup/job/memory.high", "\(90 << 30)")
        #expect(source.room() == 512 << 20)
        try files.write("sys/fs/cgroup/memory/old/memory.usage_in_bytes", "\(1 << 20)")
        try files.write("sys/fs/cgroup/memory/old/memory.limit_in_bytes", "\(2 << 20)")
        #expect(source.room() == 1 << 20)
        #expect(ControlGroupSource(root: try SystemFiles().root).room() == nil)
    }

    /// The machine's memory ends before the limit does.
    @Test(arguments: ["memory.max", "memory.high", "memory/memory.limit_in_bytes"])
    func aLimitAboveTheMachinesMemoryIsNone(name: String) throws {
        let use = name.hasPrefix("memory/") ? "memory/memory.usage_in_bytes" : "memory.current"
        let files = try SystemFiles([
            "proc/meminfo": "MemTotal: \(64 << 20) kB\nMemAvailable: \(1 << 19) kB\n",
            "sys/fs/cgroup/\(use)": "\(62 << 30)", "sys/fs/cgroup/\(name)": "\(128 << 30)",
        ])
        let pressure = MemoryPressure.current(root: files.root)
        #expect(pressure.level == .critical && pressure.source.contains("/proc/meminfo"))
        try files.write("sys/fs/cgroup/\(name)", "\(64 << 30 + 4096)")
        #expect(MemoryPressure.current(root: files.root).source.contains("/proc/meminfo"))
        // One that can be reached counts.
        try files.write("sys/fs/cgroup/\(name)", "\(64 << 30)")
        #expect(MemoryPressure.current(root: files.root).source.contains("/sys/fs/cgroup/\(use)"))
    }

    @Test func limitsOfGroupsOutOfSightCountInVersion1() throws {
        let figures = try Self.figures([
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "90",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            "sys/fs/cgroup/memory/memory.stat": "cache 1\nhierarchical_memory_limit 100\n",
        ])
        #expect(figures?.limitByteCount == 100)
    }

    @Test(arguments: ["0", "1"])
    func parentsCountInVersion1WhereTheyCountTheirChildren(useHierarchy: String) throws {
        let figures = try Self.figures([
            "proc/self/cgroup": "4:memory:/a/b\n",
            "sys/fs/cgroup/memory/a/memory.use_hierarchy": useHierarchy,
            "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "99", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "100",
            "sys/fs/cgroup/memory/a/b/memory.usage_in_bytes": "10",
            "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "100",
        ])
        #expect(figures?.usedPercent == (useHierarchy == "1" ? 99 : 10))
    }

    @Test func eventsAreTheOwnGroups() throws {
        let two = try Self.figures([
            "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/memory.current": "99", "sys/fs/cgroup/memory.max": "100",
            "sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 9\noom 9\noom_kill 9\n",
            "sys/fs/cgroup/a/memory.current": "1", "sys/fs/cgroup/a/memory.max": "100",
            "sys/fs/cgroup/a/memory.events": "low 0\nhigh 0\nmax 4\noom 3\noom_kill 2\n",
        ])
        #expect(two?.usedPercent == 99 && two?.outOfMemoryCount == 3 && two?.limitHitCount == 4)
        let one = try Self.figures([
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1", "sys/fs/cgroup/memory/memory.limit_in_bytes": "100",
            "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
            "sys/fs/cgroup/memory/memory.failcnt": "17\n",
        ])
        #expect(one?.outOfMemoryCount == 5 && one?.limitHitCount == 17)
    }

    @Test(arguments: [
        "0::/../outside\n", "0::/a/../../..\n", "0::relative\n", "0::\n", "0\n", ":::::\n",
        "0::" + String(repeating: "/d", count: 10_000) + "\n",
    ])
    func groupsThatCannotBeSeenAreTheRoot(membership: String) throws {
        let figures = try Self.figures([
            "proc/self/cgroup": membership, "sys/fs/cgroup/memory.current": "42", "sys/fs/cgroup/memory.max": "100",
            "outside/memory.current": "99", "outside/memory.max": "100",
        ])
        // Of a path too deep, no group within sight exists.
        #expect(figures?.usedPercent == (membership.count > 1000 ? nil : 42))
    }

    @Test func nonsenseIsSurvived() throws {
        let seed = SeededRandom.runSeed("ControlGroupSourceTests")
        var random = SeededRandom(seed)
        let names = [
            "proc/self/mountinfo", "proc/self/cgroup", "proc/pressure/memory", "proc/meminfo",
            "sys/fs/cgroup/memory.current", "sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.high",
            "sys/fs/cgroup/memory.stat", "sys/fs/cgroup/memory.events",
            "sys/fs/cgroup/memory/memory.usage_in_bytes", "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "sys/fs/cgroup/memory/memory.stat",
        ]
        let words = [
            "memory", "-", "cgroup2", "cgroup", "/", "0::/", "4:memory:/a", "\\", "\\0", "\\777", "max", "-1", "0",
            "\n",
            " ", "9223372036854775807", "18446744073709551616", "1e308", "nan", "avg10=nan", "avg10=-5", "avg10=1e400",
            "some", "full", "MemTotal:", "MemAvailable:", "kB", "inactive_file", "oom_kill", "\u{0}", "ü",
        ]
        for _ in 0..<60 {
            let files = try SystemFiles()
            for name in names where random.below(3) > 0 {
                if random.below(4) == 0 {
                    try files.write(name, Data((0..<random.below(300)).map { _ in UInt8(random.below(256)) }))
                } else {
                    let text = (0..<random.below(30)).map { _ in words[random.below(words.count)] }
                    try files.write(name, text.joined(separator: random.below(2) == 0 ? " " : ""))
                }
            }
            let pressure = MemoryPressure.current(root: files.root)
            for reading in pressure.readings {
                #expect(!reading.description.isEmpty)
                if case .controlGroup(let figures) = reading {
                    #expect(figures.usedByteCount >= 0 && figures.usedPercent.isFinite)
                }
            }
            #expect(ControlGroupSource(root: files.root).room().map { $0 <= 1 << 60 } ?? true)
        }
    }

    @Test func useFarAboveAnyLimitIsCritical() throws {
        let files = try SystemFiles([
            "sys/fs/cgroup/memory.current": "9223372036854775807", "sys/fs/cgroup/memory.max": "5",
        ])
        let pressure = MemoryPressure.current(root: files.root)
        #expect(pressure.level == .critical)
        #expect(pressure.source == "/sys/fs/cgroup/memory.current: 1.844674407370955e+20 % of the limit")
    }

    @Test func neitherPipesNorEndlessFilesStopIt() throws {
        let files = try SystemFiles(["sys/fs/cgroup/memory.current": "95", "sys/fs/cgroup/memory.max": "100"])
        try files.makePipe("proc/pressure/memory")
        try files.makePipe("proc/self/cgroup")
        try files.write("sys/fs/cgroup/memory.stat", Data(repeating: 0x20, count: 4 << 20))
        #expect(MemoryPressure.current(root: files.root).level == .high)
    }

    @Test func availableMemoryIsTheLastResort() throws {
        let scarce = "MemTotal: 1000 kB\nMemAvailable: 10 kB\n"
        let calm = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"
        let unlimited = try SystemFiles(["proc/meminfo": scarce, "proc/pressure/memory": calm])
        #expect(MemoryPressure.current(root: unlimited.root).level == .critical)
        // In a group with a limit, the machine's memory is not the process's to use.
        try unlimited.write("sys/fs/cgroup/memory.current", "1")
        try unlimited.write("sys/fs/cgroup/memory.max", "100")
        let limited = MemoryPressure.current(root: unlimited.root)
        #expect(limited.level == .none && limited.readings.count == 2)
        let nothing = MemoryPressure.current(root: try SystemFiles().root)
        #expect(nothing.level == .none && nothing.readings.isEmpty && nothing.source.contains("nothing"))
    }
}
