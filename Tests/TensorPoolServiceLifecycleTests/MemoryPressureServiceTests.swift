import ServiceLifecycleTestKit
import Synchronization
import TensorPool
import TensorPoolServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(10))) struct MemoryPressureServiceTests {
    /// A source that counts how often it was read.
    private final class Counter: MemoryPressureSource {
        private let count = Atomic<Int>(0)
        var reads: Int { count.load(ordering: .relaxed) }
        func read() -> [MemoryPressureReading] {
            count.add(1, ordering: .relaxed)
            return [.other(name: "test", level: .none)]
        }
    }

    private static func monitor(_ base: HybridMemoryPool, _ counter: Counter) throws -> MemoryPressureMonitor {
        var configuration = MemoryPressureConfiguration()
        configuration.interval = .milliseconds(1)
        configuration.usesStallTrigger = false
        return try MemoryPressureMonitor(base, configuration: configuration, sources: .init([counter]))
    }

    private static func untilItLooks(_ counter: Counter) async throws {
        while counter.reads < 3 { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func runsUntilTheGroupShutsDown() async throws {
        let base = try HybridMemoryPool()
        let counter = Counter()
        let monitor = try Self.monitor(base, counter)
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await MemoryPressureService(monitor).run() }
                try await Self.untilItLooks(counter)
                #expect(monitor.isRunning)
                trigger.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
        #expect(!monitor.isRunning)
        let reads = counter.reads
        try await Task.sleep(for: .milliseconds(20))
        #expect(counter.reads == reads, "the thread is gone")
        withExtendedLifetime(base) {}
    }

    @Test func endsWhenItsTaskIsCancelled() async throws {
        let base = try HybridMemoryPool()
        let counter = Counter()
        let monitor = try Self.monitor(base, counter)
        let task = Task { try await MemoryPressureService(monitor).run() }
        try await Self.untilItLooks(counter)
        task.cancel()
        _ = await task.result
        #expect(!monitor.isRunning)
        withExtendedLifetime(base) {}
    }
}
