#if os(Linux)
import CThreadSlot
import Glibc
import Jemalloc
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// A forked child goes on with the pools of its parent. Each test in a process of its own: what a fork copies belongs
    /// to the process.
    struct ForkTests {
        /// Runs `body` in a forked child. Whether it returned true, and in time.
        private static func inChild(_ body: () -> Bool) -> Bool {
            let child = fork()
            if child == 0 {
                endProcess(after: 60)
                _exit(body() ? 0 : 1)
            }
            var status: Int32 = 0
            return unsafe child > 0 && waitpid(child, &status, 0) == child && status == 0
        }

        /// A thread may be anywhere when another forks: about to find, too, that the lock is not biased to it.
        @Test func aFlagThatAThreadHadRaisedIsLoweredInAChild() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let engine = pool.front.engine
            let (started, ended) = (Gate(), Gate())
            let thread = SystemThread {
                _ = try? pool.own(100_000)
                started.open()
                ended.wait()
            }
            started.wait()
            let cache = unsafe engine.withState { unsafe $0.caches[0] }
            #expect(unsafe cache.pointee.owner != nil)
            unsafe cache.pointee.inside = 1
            #expect(engine.beginFork())
            engine.awaitHotPaths()
            engine.endFork(isChild: true)
            #expect(unsafe cache.pointee.inside == 0 && cache.pointee.owner == nil)
            ended.open()
            thread.join()
        }

        /// Everything that takes a lock.
        private static func use(_ pools: [any ObservablePool], threads: Int) -> Bool {
            let failures = Failures()
            onThreads(threads) { _ in
                for pool in pools {
                    for byteCount in [100, 5000, 40_000, 3 << 20] {
                        guard let handle = try? pool.allocateTensor(id: 1, byteCount: byteCount),
                            let buffer = try? pool.allocate(byteCount: byteCount)
                        else {
                            failures.note()
                            continue
                        }
                        unsafe Fixtures.fill(handle.bytes, 3)
                        unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.fill($0, 4) }
                        if unsafe !Fixtures.holds(handle.bytes, 3) { failures.note() }
                        if (try? pool.deallocateTensor(id: 1, handle)) == nil { failures.note() }
                    }
                }
            }
            for pool in pools {
                let statistics = pool.statistics()
                if statistics.reservedBytes != statistics.accountedBytes { failures.note() }
                pool.trim()
            }
            return failures.count == 0
        }

        private static func pools(_ base: HybridMemoryPool) throws -> [any ObservablePool] {
            let enhanced = try TensorMemoryPool(base)
            try enhanced.applyPerformanceEnhancements()
            return [
                try TensorMemoryPool(base), enhanced, try OptimizedTensorMemoryPool(base, configuration: .bare),
                try AdaptiveTensorMemoryPool.bare(base), base,
                try OptimizedTensorMemoryPool(base, configuration: .watched("fill,guard,track")),
                try OptimizedTensorMemoryPool(base, configuration: .watched("pages=1/2")),
            ]
        }

        private static func useBudget(_ pool: some TensorAllocator, _ byteCount: Int) {
            try? pool.withBudget(1 << 20) { scoped in
                let tensor = try scoped.allocate(byteCount: byteCount)
                _ = tensor.byteCount
            }
        }

        private static func usePlan(_ layout: StaticPlanLayout, _ pool: some TensorAllocator) {
            guard let plan = try? StaticPlan(layout, upstream: pool) else { return }
            _ = try? plan.allocate(byteCount: 1000)
        }

        @Test func aChildUsesItsPools() async {
            await #expect(processExitsWith: .success) {
                let base = try HybridMemoryPool()
                let pools = try Self.pools(base)
                let handles = try pools.map { try $0.allocateTensor(id: 7, byteCount: 6000) }
                for handle in handles { unsafe Fixtures.fill(handle.bytes, 8) }
                let isFine = Self.inChild {
                    for (pool, handle) in zip(pools, handles) {
                        guard unsafe Fixtures.holds(handle.bytes, 8),
                            (try? pool.deallocateTensor(id: 7, handle)) != nil
                        else { return false }
                    }
                    guard Self.use(pools, threads: 3), base.statistics().liveTensors == 0 else { return false }
                    return (try? Self.pools(base)).map { Self.use($0, threads: 1) } ?? false
                }
                try #require(isFine)
                // The parent's tensors are as they were.
                for (pool, handle) in zip(pools, handles) {
                    #expect(unsafe Fixtures.holds(handle.bytes, 8))
                    try pool.deallocateTensor(id: 7, handle)
                }
                try #require(Self.use(pools, threads: 2))
            }
        }

        /// Others are in the middle of everything, and hold every lock now and then.
        @Test func forksWhileOthersHammer() async {
            await #expect(processExitsWith: .success) {
                let base = try HybridMemoryPool()
                let pools = try Self.pools(base)
                let layout = try StaticPlanLayout(
                    allocations: [.init(offset: 0, byteCount: 1000)], byteCount: 1024)
                let plan = try StaticPlan(layout, upstream: TensorMemoryPool(base))
                // Swift's runtime makes what describes a type at its first use, under locks of its own that no fork
                // waits for: so everything is used before the first fork.
                let stop = Flag()
                let laps = Laps()
                let threads = (0..<4).map { index in
                    SystemThread {
                        while !stop.isUp {
                            defer { laps.note(index) }
                            if index == 0 {
                                _ = Self.use(pools, threads: 1)
                                _ = try? HybridMemoryPool()
                            } else {
                                plan.beginStep()
                                _ = try? plan.allocate(byteCount: 1000)
                                Self.usePlan(layout, pools[0])
                                for pool in pools.prefix(4) {
                                    for byteCount in [64, 4096, 20_000, 100_000] {
                                        _ = try? pool.allocate(byteCount: byteCount)
                                        Self.useBudget(pool, byteCount)
                                    }
                                }
                            }
                        }
                    }
                }
                while !laps.haveAllRun(4) { usleep(1000) }
                try #require(Self.use(pools, threads: 2))
                var failures = 0
                for _ in 0..<6 {
                    let isFine = Self.inChild {
                        plan.beginStep()
                        let isPlanned = (try? plan.allocate(byteCount: 1000)) != nil
                        return isPlanned && Self.use(pools, threads: 2)
                    }
                    if !isFine { failures += 1 }
                }
                stop.raise()
                for thread in threads { thread.join() }
                try #require(failures == 0)
                for pool in pools { expectSums(pool.statistics()) }
                try #require(base.statistics().liveTensors == 1)
            }
        }

        /// The barrier belongs to the child's memory as well, and a grandchild's.
        @Test func theBarrierWorksInAChild() async {
            await #expect(processExitsWith: .success) {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                try #require(Self.use([pool], threads: 2))
                let isFine = Self.inChild {
                    tensorpool_barrier_all_threads()
                        && Self.inChild { tensorpool_barrier_all_threads() && Self.use([pool], threads: 3) }
                }
                try #require(isFine)
            }
        }

        /// What the threads kept that the child does not have is not lost to it.
        @Test func cachesOfOtherThreadsAreTheChilds() async {
            await #expect(processExitsWith: .success) {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let isFilled = Gate()
                let isDone = Gate()
                let thread = SystemThread {
                    for byteCount in [64, 4096, 100_000] { drop(try! pool.allocate(byteCount: byteCount)) }
                    isFilled.open()
                    isDone.wait()
                }
                isFilled.wait()
                let isFine = Self.inChild {
                    pool.trim()
                    return pool.statistics().reservedBytes == 0
                }
                try #require(isFine)
                isDone.open()
                thread.join()
                #expect(pool.statistics().reservedBytes > 0)
            }
        }

        /// Counts how often a monitor looks.
        private final class Looks: MemoryPressureSource {
            private let number = Atomic(0)
            var count: Int { number.load(ordering: .acquiring) }
            func read() -> [MemoryPressureReading] {
                number.add(1, ordering: .acquiringAndReleasing)
                return [.other(name: "looks", level: .none)]
            }
        }

        private static func openDescriptors() -> Int { (0..<256).count(where: { fcntl($0, F_GETFD) >= 0 }) }

        /// Makes a started monitor, asleep for an hour after its first look.
        private static func startedMonitor(_ base: HybridMemoryPool, _ looks: Looks) throws -> MemoryPressureMonitor {
            var configuration = MemoryPressureConfiguration()
            configuration.interval = .seconds(3600)
            configuration.usesStallTrigger = false
            let monitor = try MemoryPressureMonitor(base, configuration: configuration, sources: .init([looks]))
            try monitor.start()
            while looks.count == 0 { usleep(1000) }
            usleep(20_000)
            return monitor
        }

        /// A monitor's thread does not exist in a child, which may start it anew.
        @Test func aChildStartsItsMonitorAnew() async {
            await #expect(processExitsWith: .success) {
                endProcess(after: 60)
                let base = try HybridMemoryPool()
                let looks = Looks()
                let monitor = try Self.startedMonitor(base, looks)
                let isFine = Self.inChild {
                    guard !monitor.isRunning else { return false }
                    for round in 2...3 {
                        guard (try? monitor.start()) != nil, monitor.isRunning else { return false }
                        while looks.count < round { usleep(1000) }
                        monitor.stop()
                        guard !monitor.isRunning else { return false }
                    }
                    return true
                }
                try #require(isFine)
                try #require(monitor.isRunning && looks.count == 1)
                monitor.stop()
            }
        }

        /// What a child does with a monitor that its parent started does not reach the parent's thread.
        @Test func aChildDoesNotWakeItsParentsMonitor() async {
            await #expect(processExitsWith: .success) {
                endProcess(after: 60)
                let base = try HybridMemoryPool()
                let looks = Looks()
                let monitor = try Self.startedMonitor(base, looks)
                let isFine = Self.inChild {
                    let before = Self.openDescriptors()
                    monitor.stop()
                    return Self.openDescriptors() == before - 2
                }
                try #require(isFine, "the child's copies of the descriptors are closed")
                usleep(20_000)
                try #require(monitor.isRunning && looks.count == 1)
                monitor.stop()
            }
        }

        private final class Failures: @unchecked Sendable {
            private let number = Lock(0)
            var count: Int { number.withLock { $0 } }
            func note() { number.withLock { $0 += 1 } }
        }

        private final class Flag: Sendable {
            private let state = Atomic(false)
            var isUp: Bool { state.load(ordering: .acquiring) }
            func raise() { state.store(true, ordering: .releasing) }
        }

        /// Which threads have been through their loop.
        private final class Laps: Sendable {
            private let run = Atomic(0)
            func note(_ index: Int) { run.bitwiseOr(1 << index, ordering: .acquiringAndReleasing) }
            func haveAllRun(_ count: Int) -> Bool { run.load(ordering: .acquiring) == 1 << count - 1 }
        }
    }
}
#endif
