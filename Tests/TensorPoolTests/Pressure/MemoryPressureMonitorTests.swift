import Foundation
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    @Suite(.timeLimit(.minutes(10))) struct MemoryPressureMonitorTests {
        /// A source that says what a test sets, and counts how often it is asked.
        private final class Dial: MemoryPressureSource {
            private let state = Mutex((level: MemoryPressureLevel.none, reads: 0))
            var level: MemoryPressureLevel {
                get { state.withLock { $0.level } }
                set { state.withLock { $0.level = newValue } }
            }
            var reads: Int { state.withLock { $0.reads } }
            func read() -> [MemoryPressureReading] {
                state.withLock {
                    $0.reads += 1
                    return [.other(name: "dial", level: $0.level)]
                }
            }
        }

        /// A clock that a test moves.
        private final class Clock: Sendable {
            private let time = Atomic<UInt64>(1 << 40)
            var now: UInt64 { time.load(ordering: .relaxed) }
            func pass(_ duration: Duration) { time.add(duration.wholeNanoseconds, ordering: .relaxed) }
        }

        /// A pool that keeps 64 blocks of 8 KiB in its depot.
        private static func pool(_ base: HybridMemoryPool) throws -> OptimizedTensorMemoryPool {
            var configuration = OptimizedTensorPoolConfig.uncached
            configuration.idleReleaseAfter = nil
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            keep(pool)
            return pool
        }

        private static func keep(_ pool: some TensorAllocator) {
            var held: [Owned] = []
            for _ in 0..<64 { held.append(try! pool.own(8 << 10)) }
        }

        @Test(arguments: [
            (MemoryPressureLevel.none, 0.0), (.low, 0), (.moderate, 0.25), (.high, 0.75), (.critical, 1),
        ])
        func eachLevelTakesItsShare(level: MemoryPressureLevel, share: Double) throws {
            let base = try HybridMemoryPool()
            let pools = try (0..<2).map { _ in try Self.pool(base) }
            let dial = Dial()
            let monitor = try MemoryPressureMonitor(base, sources: .init([dial]))
            let before = pools.map { $0.statistics().cachedBytes }
            #expect(before.allSatisfy { $0 == 64 * 8 << 10 })
            dial.level = level
            let event = monitor.look()
            #expect(monitor.level == level)
            let expected = Int(share * Double(64 * 8 << 10))
            #expect(pools.map { before[0] - $0.statistics().cachedBytes } == [expected, expected])
            if level == .none {
                #expect(event == nil)
            } else {
                let event = try found(event)
                #expect(event.level == level && event.previousLevel == .none)
                #expect(event.trim?.releasedBytes == 2 * expected && event.idleRelease == nil)
                #expect(event.trim?.residentBytesReturned != nil || SystemMemory.residentByteCount() == nil)
                #expect(event.readings == [.other(name: "dial", level: level)])
                #expect(event.description.contains("none -> \(level)") && event.description.contains("dial"))
            }
        }

        @Test func whatALevelTakesCanBeSet() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(base)
            var configuration = MemoryPressureConfiguration()
            configuration.low = MemoryPressureResponse(idleShare: 0.5, purgesArenas: true)
            configuration.critical = MemoryPressureResponse()
            let dial = Dial()
            let monitor = try MemoryPressureMonitor(base, configuration: configuration, sources: .init([dial]))
            dial.level = .low
            #expect(monitor.look()?.trim?.releasedBytes == 32 * 8 << 10)
            dial.level = .critical
            let event = try found(monitor.look())
            #expect(event.level == .critical && event.trim == nil)
            #expect(pool.statistics().cachedBytes == 32 * 8 << 10)
        }

        @Test func aLastingLevelTrimsNowAndThen() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(base)
            let (dial, clock) = (Dial(), Clock())
            let events = Mutex<[MemoryPressureEvent]>([])
            let monitor = try MemoryPressureMonitor(base, sources: .init([dial]), clock: { clock.now }) { event in
                events.withLock { $0.append(event) }
            }
            dial.level = .critical
            monitor.look()
            Self.keep(pool)
            clock.pass(.seconds(9))
            #expect(monitor.look() == nil && pool.statistics().cachedBytes > 0)
            clock.pass(.seconds(1))
            #expect(monitor.look()?.trim?.releasedBytes == 64 * 8 << 10)
            // A fall trims nothing by itself.
            dial.level = .none
            clock.pass(.seconds(1))
            #expect(monitor.look() == nil)
            clock.pass(.seconds(5))
            let fall = try found(monitor.look())
            #expect(fall.previousLevel == .critical && fall.level == .none && fall.trim == nil)
            #expect(events.withLock { $0.map(\.level) } == [.critical, .critical, .none])
        }

        /// A source that lets nobody go on before two threads read it.
        private final class Meeting: MemoryPressureSource {
            private let readers = Counter()
            func read() -> [MemoryPressureReading] {
                readers.add(1)
                spin { readers.value >= 2 }
                return [.other(name: "meeting", level: .critical)]
            }
        }

        @Test func twoLooksAtOnceRespondOnceToARise() throws {
            for _ in 0..<50 {
                let base = try HybridMemoryPool()
                let pool = try Self.pool(base)
                let monitor = try MemoryPressureMonitor(base, sources: .init([Meeting()]))
                let (trims, bytes) = (Counter(), Counter())
                onThreads(2) { _ in
                    guard let trim = monitor.look()?.trim else { return }
                    trims.add(1)
                    bytes.add(trim.releasedBytes)
                }
                #expect(trims.value == 1 && bytes.value == 64 * 8 << 10 && monitor.level == .critical)
                #expect(pool.statistics().cachedBytes == 0)
            }
        }

        /// A trim finds what was written after a free, and tells it under no lock of the monitor.
        @Test func aFindingHandlerMayUseTheMonitor() async {
            await #expect(processExitsWith: .success) {
                endProcess(after: 60)
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .watched("fill"))
                let dial = Dial()
                let monitor = try MemoryPressureMonitor(base, sources: .init([dial]))
                let (found, looked) = (Counter(), Counter())
                base.setFindingHandler { _ in
                    found.add(1)
                    // The rise is responded to already.
                    if monitor.level == .critical, monitor.look() == nil { looked.add(1) }
                }
                let tensor = try pool.allocateTensor(8, 5000)
                try pool.deallocateTensor(id: 8, tensor)
                unsafe tensor.baseAddress.misuse(writing: 0, at: 10)
                dial.level = .critical
                let event = try #require(monitor.look())
                try #require(event.trim != nil && found.value == 1 && looked.value == 1)
            }
        }

        #if os(Linux)
        @Test func aFindingHandlerMayFork() async {
            await #expect(processExitsWith: .success) {
                endProcess(after: 60)
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .watched("fill"))
                let dial = Dial()
                let monitor = try MemoryPressureMonitor(base, sources: .init([dial]))
                let forks = Counter()
                base.setFindingHandler { _ in
                    let child = fork()
                    if child == 0 {
                        endProcess(after: 60)
                        drop(try! pool.allocate(byteCount: 5000))
                        _exit(monitor.level == .critical && monitor.look() == nil ? 0 : 1)
                    }
                    var status: Int32 = 0
                    if unsafe child > 0 && waitpid(child, &status, 0) == child && status == 0 { forks.add(1) }
                }
                let tensor = try pool.allocateTensor(8, 5000)
                try pool.deallocateTensor(id: 8, tensor)
                unsafe tensor.baseAddress.misuse(writing: 0, at: 10)
                dial.level = .critical
                try #require(monitor.look()?.trim != nil && forks.value == 1)
            }
        }
        #endif

        @Test func theThreadLooksAndStops() throws {
            let base = try HybridMemoryPool()
            let pool = try Self.pool(base)
            let dial = Dial()
            var configuration = MemoryPressureConfiguration()
            configuration.interval = .milliseconds(1)
            let critical = Gate()
            let monitor = try MemoryPressureMonitor(base, configuration: configuration, sources: .init([dial])) {
                if $0.level == .critical { critical.open() }
            }
            #expect(!monitor.isRunning && !monitor.usesStallTrigger)
            for _ in 0..<3 {
                try monitor.start()
                try monitor.start()
                #expect(monitor.isRunning)
                let reads = dial.reads
                spin { dial.reads > reads + 2 }
                monitor.stop()
                monitor.stop()
                #expect(!monitor.isRunning)
                let last = dial.reads
                usleep(5000)
                #expect(dial.reads == last, "the thread is gone")
            }
            try monitor.start()
            dial.level = .critical
            critical.wait()
            monitor.stop()
            #expect(pool.statistics().cachedBytes == 0)
        }

        @Test func betweenLooksTheThreadSleeps() throws {
            let base = try HybridMemoryPool()
            let dial = Dial()
            var configuration = MemoryPressureConfiguration()
            configuration.interval = .seconds(3600)
            configuration.usesStallTrigger = false
            let monitor = try MemoryPressureMonitor(base, configuration: configuration, sources: .init([dial]))
            try monitor.start()
            spin { dial.reads > 0 }
            usleep(20_000)
            #expect(dial.reads == 1)
            // And is woken to stop: an hour would be noticed.
            monitor.stop()
        }

        @Test func theHandlerMayStopTheMonitor() throws {
            let base = try HybridMemoryPool()
            let dial = Dial()
            dial.level = .low
            let own = Mutex<MemoryPressureMonitor?>(nil)
            let stopped = Gate()
            var configuration = MemoryPressureConfiguration()
            configuration.interval = .milliseconds(1)
            let monitor = try MemoryPressureMonitor(base, configuration: configuration, sources: .init([dial])) { _ in
                own.withLock { $0 }?.stop()
                stopped.open()
            }
            own.withLock { $0 = monitor }
            try monitor.start()
            stopped.wait()
            #expect(!monitor.isRunning)
            own.withLock { $0 = nil }
        }

        @Test func theBaseIsNotKeptAlive() throws {
            let dial = Dial()
            var configuration = MemoryPressureConfiguration()
            configuration.interval = .milliseconds(1)
            var base: HybridMemoryPool? = try HybridMemoryPool()
            weak let alive = base
            let monitor = try MemoryPressureMonitor(base!, configuration: configuration, sources: .init([dial]))
            try monitor.start()
            spin { dial.reads > 2 }
            base = nil
            spin { alive == nil }
            #expect(monitor.look() == nil)
            // A monitor that nobody keeps takes its thread along.
            monitor.stop()
        }

        @Test func theKernelsTriggerIsUsedWhereItCanBe() throws {
            let base = try HybridMemoryPool()
            let monitor = try MemoryPressureMonitor(base)
            try monitor.start()
            let canBe = StallTrigger(somePercent: 1)?.descriptor != nil
            #expect(monitor.usesStallTrigger == canBe)
            monitor.stop()
        }

        @Test func settingsThatCannotBeAreRefused() throws {
            let base = try HybridMemoryPool()
            var configuration = MemoryPressureConfiguration()
            configuration.interval = .zero
            let error = refusal { () throws(TensorPoolError) in
                _ = try MemoryPressureMonitor(base, configuration: configuration)
            }
            #expect(error.map { "\($0)".contains("interval") } ?? false)
        }
    }
}
