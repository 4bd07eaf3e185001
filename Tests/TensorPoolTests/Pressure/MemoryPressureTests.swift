import Foundation
import Testing

@testable import TensorPool

@Suite struct MemoryPressureTests {
    /// Reads the pressure below a folder with these files.
    private static func read(_ files: [String: String]) throws -> MemoryPressure {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: false, encoding: .utf8)
        }
        return MemoryPressure.current(root: root.path)
    }

    private static func stalls(some: Double, full: Double) -> String {
        """
        some avg10=\(some) avg60=0.00 avg300=0.00 total=1
        full avg10=\(full) avg60=0.00 avg300=0.00 total=1

        """
    }

    @Test(arguments: [
        (0.0, 0.0, MemoryPressureLevel.none), (1.5, 0, .low), (6, 0, .moderate), (25, 0, .high), (8, 3, .high),
        (60, 12, .critical),
    ])
    func stallsSetTheLevel(some: Double, full: Double, expected: MemoryPressureLevel) throws {
        let pressure = try Self.read(["proc/pressure/memory": Self.stalls(some: some, full: full)])
        #expect(pressure.level == expected)
        #expect(pressure.source.contains("/proc/pressure/memory"))
    }

    @Test func controlGroupsOfBothVersionsCount() throws {
        let two = try Self.read(["sys/fs/cgroup/memory.current": "95", "sys/fs/cgroup/memory.max": "100"])
        #expect(two.level == .high && two.source.contains("memory.current"))
        let one = try Self.read([
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "98\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "100\n",
        ])
        #expect(one.level == .critical && one.source.contains("usage_in_bytes"))
    }

    @Test func theProcesssOwnGroupCountsWithoutIdleFilePages() throws {
        let nested = try Self.read([
            "proc/self/cgroup": "0::/service/worker\n",
            "sys/fs/cgroup/service/memory.current": "99", "sys/fs/cgroup/service/memory.max": "100",
            "sys/fs/cgroup/service/worker/memory.current": "10", "sys/fs/cgroup/service/worker/memory.max": "100",
        ])
        #expect(nested.level == .critical && nested.source.contains("/service/memory.current"))
        let files = try Self.read([
            "proc/self/cgroup": "5:cpu:/\n3:memory:/job\n",
            "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "99",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "100",
            "sys/fs/cgroup/memory/job/memory.stat": "cache 60\ntotal_inactive_file 50\n",
        ])
        #expect(files.level == .none && files.source.contains("49 %"))
    }

    @Test func aGroupWithoutALimitSaysNothing() throws {
        let pressure = try Self.read([
            "sys/fs/cgroup/memory.current": "95", "sys/fs/cgroup/memory.max": "max",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "95",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        ])
        #expect(pressure.level == .none)
    }

    @Test func theMostUrgentSourceCounts() throws {
        let pressure = try Self.read([
            "proc/pressure/memory": Self.stalls(some: 0, full: 0),
            "proc/meminfo": "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 20 kB\n",
        ])
        #expect(pressure.level == .critical && pressure.source.contains("98 %"))
    }

    @Test(arguments: ["", "garbage", "some avg10=x", "MemTotal: 0 kB\nMemAvailable: 0 kB"])
    func nonsenseIsNoPressure(text: String) throws {
        let pressure = try Self.read([
            "proc/pressure/memory": text, "proc/meminfo": text, "sys/fs/cgroup/memory.current": text,
            "sys/fs/cgroup/memory.max": text,
        ])
        #expect(pressure.level == .none)
    }

    @Test func thisSystemAnswers() {
        #expect(!MemoryPressure.current().source.isEmpty)
    }
}
