import Testing

@testable import TensorPool

@Suite struct MemoryShareTests {
    private typealias Configuration = HybridMemoryPool.Configuration

    private static let machine = ["proc/meminfo": "MemTotal: 16777216 kB\nMemAvailable: 1 kB\n"]

    private static func limit(_ files: [String: String]) throws -> Int {
        let files = try SystemFiles(machine.merging(files) { $1 })
        return Configuration.processMemoryLimit(root: files.root)
    }

    @Test func withoutALimitItIsTheMachinesMemory() throws {
        #expect(try Self.limit([:]) == 16 << 30)
        #expect(
            try Self.limit([
                "sys/fs/cgroup/memory.current": "1", "sys/fs/cgroup/memory.max": "max",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "1",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            ]) == 16 << 30)
        #expect(
            try Self.limit(["sys/fs/cgroup/memory.current": "1", "sys/fs/cgroup/memory.max": "\(128 << 30)"])
                == 16 << 30, "a limit above the machine's memory is none")
        #expect(Configuration.processMemoryLimit(root: try SystemFiles().root) == SystemMemory.physicalByteCount)
    }

    @Test func theLeastLimitOfAllGroupsCounts() throws {
        let groups = [
            "proc/self/cgroup": "0::/pod/container\n",
            "sys/fs/cgroup/pod/memory.current": "1", "sys/fs/cgroup/pod/memory.max": "\(8 << 30)",
            "sys/fs/cgroup/pod/container/memory.current": "\(1 << 30)",
            "sys/fs/cgroup/pod/container/memory.max": "\(2 << 30)",
        ]
        #expect(try Self.limit(groups) == 2 << 30)
        #expect(try Self.limit(groups.merging(["sys/fs/cgroup/pod/memory.max": "\(1 << 30)"]) { $1 }) == 1 << 30)
        #expect(
            try Self.limit(groups.merging(["sys/fs/cgroup/pod/memory.high": "\(1 << 20)"]) { $1 }) == 1 << 20,
            "a process that is slowed down is no better off")
        #expect(
            try Self.limit([
                "proc/self/cgroup": "4:memory:/job\n",
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "1",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "\(3 << 30)",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "1",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
                "sys/fs/cgroup/memory/memory.stat": "hierarchical_memory_limit \(2 << 30)\n",
            ]) == 2 << 30)
    }

    @Test func aShareIsTheByteLimit() throws {
        let configuration = try Configuration(memoryShare: 0.75, of: 4 << 30, decayMilliseconds: 0)
        #expect(configuration.byteLimit == 3 << 30 && configuration.decayMilliseconds == 0)
        #expect(try Configuration(memoryShare: 1, of: 1 << 59 - 1, decayMilliseconds: 0).byteLimit == 1 << 59 - 1)
        #expect(try Configuration(memoryShare: 0.001, of: 1000, decayMilliseconds: 0).byteLimit == 1)
        let here = try Configuration(memoryShare: 0.5)
        #expect(here.byteLimit == Configuration.processMemoryLimit() / 2 && here.decayMilliseconds == 10_000)
        let base = try HybridMemoryPool(configuration: here)
        #expect(base.configuration.byteLimit == here.byteLimit)
    }

    @Test(arguments: [0, -0.5, 1.01, .nan, .infinity, -.infinity, 1e-300] as [Double])
    func aShareThatCannotBeIsRefused(share: Double) {
        let error = refusal { () throws(TensorPoolError) in _ = try Configuration(memoryShare: share) }
        guard case .invalidConfiguration("memoryShare", "\(share)", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
