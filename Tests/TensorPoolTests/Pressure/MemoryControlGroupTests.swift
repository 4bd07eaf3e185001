import Foundation
import Testing

@testable import TensorPool

/// A memory control group of the kernel's, made for a test.
private struct MemoryControlGroup {
    let folder: String
    let version: Int

    /// Makes a group with a limit; nil where this machine does not let one be made.
    init?(byteLimit: Int) {
        for hierarchy in ControlGroupHierarchy.all(root: "") {
            let own = hierarchy.group(in: SmallFile.read("/proc/self/cgroup", byteLimit: 64 << 10) ?? "")
            // Beside the own group and not in it: in version 2, a group with processes has no children that count.
            for parent in Set([hierarchy.folder, hierarchy.folder + own]).sorted(by: { $0.count < $1.count }) {
                let folder = "\(parent)/tensor-pool-test-\(getpid())-\(UUID())"
                guard unsafe mkdir(folder, 0o755) == 0 else { continue }
                let file = hierarchy.version == 2 ? "memory.max" : "memory.limit_in_bytes"
                guard (try? Self.write("\(byteLimit)", to: "\(folder)/\(file)")) != nil,
                    unsafe access("\(folder)/cgroup.procs", W_OK) == 0
                else {
                    unsafe rmdir(folder)
                    continue
                }
                self.folder = folder
                version = hierarchy.version
                return
            }
        }
        return nil
    }

    static func write(_ text: String, to file: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        defer { try? handle.close() }
        try handle.write(contentsOf: Data(text.utf8))
    }

    /// Whether this machine lets a test make such groups.
    static let canBeMade: Bool = {
        guard let group = MemoryControlGroup(byteLimit: 64 << 20) else { return false }
        return unsafe rmdir(group.folder) == 0
    }()
}

extension PoolTests {
    @Suite(
        .enabled(if: MemoryControlGroup.canBeMade, "this machine lets no memory control group be made"),
        .timeLimit(.minutes(10))
    )
    struct MemoryControlGroupTests {
        static let limit = 256 << 20

        /// Bytes charged to a group.
        private static func usage(_ folder: String, _ version: Int) -> Int {
            SmallFile.number(folder + (version == 2 ? "/memory.current" : "/memory.usage_in_bytes")) ?? -1
        }

        @Test func aMonitorKeepsAProcessBelowItsGroupsLimit() async throws {
            let group = try #require(MemoryControlGroup(byteLimit: Self.limit))
            let (folder, version, limit) = (group.folder, group.version, Self.limit)
            await #expect(processExitsWith: .success) {
                [folder = folder as String, version = version as Int, limit = limit as Int] in
                try MemoryControlGroup.write("\(getpid())", to: folder + "/cgroup.procs")
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let monitor = try MemoryPressureMonitor(base, sources: .init([ControlGroupSource()]))
                try #require(monitor.look() == nil, "an empty group is under no pressure")
                // Tensors touched and freed: idle, and charged to the group.
                do {
                    var tensors: [Owned] = []
                    while MemoryControlGroupTests.usage(folder, version) < limit / 100 * 95 {
                        let tensor = try pool.own(2 << 20)
                        tensor.dirty()
                        tensors.append(tensor)
                    }
                }
                let before = MemoryControlGroupTests.usage(folder, version)
                let cached = pool.statistics().cachedBytes
                try #require(cached > limit / 4 * 3)
                let event = try #require(monitor.look())
                try #require(event.level >= .moderate, "\(event)")
                guard case .controlGroup(let figures) = try #require(event.readings.first) else { throw NothingFound() }
                try #require(figures.limitByteCount == limit && figures.file.hasPrefix(folder), "\(figures)")
                let trim = try #require(event.trim)
                let fall = before - MemoryControlGroupTests.usage(folder, version)
                try #require(trim.releasedBytes >= cached / 4 && fall >= trim.releasedBytes / 10 * 9, "\(event)")
                let returned = try #require(trim.residentBytesReturned)
                try #require(returned >= trim.releasedBytes / 10 * 9, "\(event)")
                // What was freed can be used again.
                try pool.own(100 << 20).dirty()
            }
            unsafe #expect(rmdir(folder) == 0, "the group is empty again")
        }

        /// Memory that the group has no room for is not touched: the kernel would end the process.
        @Test func prewarmingBeyondTheGroupsLimitIsRefused() async throws {
            let group = try #require(MemoryControlGroup(byteLimit: Self.limit))
            let (folder, version, limit) = (group.folder, group.version, Self.limit)
            await #expect(processExitsWith: .success) {
                [folder = folder as String, version = version as Int, limit = limit as Int] in
                try MemoryControlGroup.write("\(getpid())", to: folder + "/cgroup.procs")
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let kept = try pool.own(40 << 20)
                kept.fill(7)
                for _ in 0..<3 {
                    let failure = refusal { () throws(TensorPoolError) in
                        try pool.prewarm(.init(medium: 0, large: 2 * limit))
                    }
                    try #require(failure == .outOfMemory(byteCount: 2 * limit))
                    try #require(MemoryControlGroupTests.usage(folder, version) <= limit)
                    try #require(kept.holds(7))
                    expectSums(pool.statistics())
                    pool.trim()
                }
                // What fits is made ready, by a pool that is made now as well.
                try pool.prewarm(.init(medium: 0, large: 64 << 20))
                try #require(pool.statistics().prewarmedBytes >= 64 << 20)
                var configuration = OptimizedTensorPoolConfig.bare
                configuration.enablePrewarming = true
                configuration.prewarming = .init(medium: 0, large: limit)
                let failure = refusal { () throws(TensorPoolError) in
                    _ = try OptimizedTensorMemoryPool(base, configuration: configuration)
                }
                try #require(failure == .outOfMemory(byteCount: limit))
                try pool.own(40 << 20).dirty()
            }
            unsafe #expect(rmdir(folder) == 0, "the group is empty again")
        }

        /// With a share of the group's limit as their own, pools refuse what would have the kernel end the process, and go
        /// on once memory is freed.
        @Test func atAShareOfTheGroupsLimitPoolsRefuseAndRecover() async throws {
            let group = try #require(MemoryControlGroup(byteLimit: Self.limit))
            let (folder, version, limit) = (group.folder, group.version, Self.limit)
            await #expect(processExitsWith: .success) {
                [folder = folder as String, version = version as Int, limit = limit as Int] in
                try MemoryControlGroup.write("\(getpid())", to: folder + "/cgroup.procs")
                let configuration = try HybridMemoryPool.Configuration(memoryShare: 0.75)
                let byteLimit = limit / 4 * 3
                try #require(configuration.byteLimit == byteLimit)
                let base = try HybridMemoryPool(configuration: configuration)
                let pools: [any ObservablePool] = [
                    try TensorMemoryPool(base), try OptimizedTensorMemoryPool(base, configuration: .bare),
                    try AdaptiveTensorMemoryPool.bare(base),
                ]
                for pool in pools + pools {
                    var tensors: [Owned] = []
                    let failure = refusal { () throws(TensorPoolError) in
                        while true {
                            let tensor = try pool.own(2 << 20)
                            tensor.dirty()
                            tensors.append(tensor)
                        }
                    }
                    guard case .limitReached(let report) = failure else { throw NothingFound() }
                    try #require(report.scope == .base && report.limit == byteLimit)
                    try #require(tensors.count * 2 << 20 > byteLimit / 10 * 9, "\(tensors.count)")
                    let used = MemoryControlGroupTests.usage(folder, version)
                    try #require(used > byteLimit / 10 * 9 && used < limit, "\(used)")
                    tensors.removeLast(tensors.count / 2)
                    for _ in 0..<3 {
                        let tensor = try pool.own(40 << 20)
                        tensor.fill(7)
                        try #require(tensor.holds(7))
                    }
                    tensors = []
                    // Pages that one arena keeps are no other's.
                    base.trim()
                    try #require(base.reservedByteCount == 0)
                }
            }
            unsafe #expect(rmdir(folder) == 0, "the group is empty again")
        }
    }
}
