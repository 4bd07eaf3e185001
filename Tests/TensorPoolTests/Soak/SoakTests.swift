import AllocationTrace
import Foundation
import Histogram
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// Eight threads for a long time: four replay a bundled trace, four do everything at random, while pools are trimmed
    /// and memory pressure comes and goes. `make soak MINUTES=30` is the long form.
    struct SoakTests {
        /// A source that says what the soak sets.
        private final class Dial: MemoryPressureSource {
            private let level = Mutex(MemoryPressureLevel.none)
            func set(_ next: MemoryPressureLevel) { level.withLock { $0 = next } }
            func read() -> [MemoryPressureReading] { [.other(name: "dial", level: level.withLock { $0 })] }
        }

        /// What the laps add up to.
        private struct Findings {
            var operations = 0
            var faults: [String] = []
            var latencies = Self.empty

            static var empty: Histogram<UInt64> {
                Histogram(highestTrackableValue: 10_000_000_000, numberOfSignificantValueDigits: .two)
            }
        }

        private static let threads = 8
        /// Of a trace on a base of its own, so that its latencies are those of one pool.
        private static let bundledTrace = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Benchmarks/Traces/train_transformer.tensor.csv.gz").path(percentEncoded: false)

        @Test func eightThreadsStaySteady() throws {
            let environment = ProcessInfo.processInfo.environment
            let minutes = environment["TENSOR_POOL_SOAK_MINUTES"].flatMap { Double($0) } ?? 0.05
            let seed = SeededRandom.runSeed("SoakTests")
            let report = try Self.soak(minutes: minutes, seed: seed)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            let text = try encoder.encode(report)
            print(String(decoding: text, as: UTF8.self))
            if let path = environment["TENSOR_POOL_SOAK_OUTPUT"] { try text.write(to: URL(filePath: path)) }
            #expect(report.faults.isEmpty)
            #expect(report.operations > 1000 && report.trims > 0 && report.pressureEvents > 0)
            // Shorter runs are all warm-up.
            guard minutes >= 10 else { return }
            #expect(report.residentSlopeBytesPerHour < 1_048_576)
            // Some factor above what other work on the machine makes of it.
            #expect(report.lastQuarter.p50Nanoseconds <= 2 * report.firstQuarter.p50Nanoseconds)
        }

        private static func soak(minutes: Double, seed: UInt64) throws -> SoakReport {
            let trace = try TraceFile.read(bundledTrace, options: .init(details: [])).trace
            let base = try HybridMemoryPool()
            let pool = try AdaptiveTensorMemoryPool(base)
            let pressure = Atomic<Int>(0)
            let dial = Dial()
            var configuration = MemoryPressureConfiguration()
            configuration.interval = .milliseconds(20)
            configuration.fallDelay = .zero
            let monitor = try MemoryPressureMonitor(base, configuration: configuration, sources: .init([dial])) { _ in
                pressure.add(1, ordering: .relaxed)
            }
            try monitor.start()
            defer { monitor.stop() }
            var choices = Choices(seed: seed)
            let world = try PoolWorld(&choices)

            let start = ContinuousClock.now
            let lapSeconds = min(5, minutes * 60 / 10)
            let lapCount = max(8, Int(minutes * 60 / lapSeconds))
            let levels = MemoryPressureLevel.allCases
            // The first quarter is warm-up: caches of libraries, jemalloc's own bookkeeping.
            let warmUp = lapCount / 4
            let quarter = max(1, (lapCount - warmUp) / 4)
            var (first, last) = (Findings.empty, Findings.empty)
            var laps: [(seconds: Double, resident: Int)] = []
            laps.reserveCapacity(lapCount)
            var (operations, faults) = (0, [String]())
            for lap in 0..<lapCount {
                dial.set(levels[lap % levels.count])
                let result = work(
                    for: .seconds(lapSeconds), lap: lap, seed: seed &+ UInt64(lap) << 32, trace: trace, pool: pool,
                    world: world)
                operations += result.operations
                faults += result.faults
                // Nothing lives now: what is resident is what stays.
                for base in [base, world.base] { base.trim() }
                let statistics = pool.statistics()
                if statistics.liveTensors != 0 { faults.append("tensors are left: \(statistics)") }
                let resident = try found(SystemMemory.residentByteCount())
                laps.append(((ContinuousClock.now - start) / .seconds(1), resident))
                if lap >= lapCount - quarter {
                    add(result.latencies, to: &last)
                } else if lap >= warmUp, lap < warmUp + quarter {
                    add(result.latencies, to: &first)
                }
                if faults.count > 10 { break }
            }
            do throws(ModelFailure) { try world.close() } catch { faults.append("\(error)") }

            let steady = laps.dropFirst(min(warmUp, laps.count - 1))
            return SoakReport(
                minutes: (ContinuousClock.now - start) / .seconds(60), seed: seed, threads: threads, laps: laps.count,
                operations: operations, trims: 2 * laps.count, pressureEvents: pressure.load(ordering: .relaxed),
                faults: faults, residentBytesAfterWarmUp: steady.first?.resident ?? 0,
                residentBytesAtEnd: steady.last?.resident ?? 0,
                residentSlopeBytesPerHour: slope(steady.map { ($0.seconds / 3600, Double($0.resident)) }),
                firstQuarter: .init(first), lastQuarter: .init(last))
        }

        private static func add(_ part: Histogram<UInt64>, to sum: inout Histogram<UInt64>) {
            for bucket in part.recordedValues() { _ = sum.record(bucket.value, count: bucket.count) }
        }

        /// One lap of all threads, which free what they have at its end.
        private static func work(
            for duration: Duration, lap: Int, seed: UInt64, trace: AllocationTrace, pool: AdaptiveTensorMemoryPool,
            world: PoolWorld
        ) -> Findings {
            let findings = Mutex(Findings())
            let end = ContinuousClock.now + duration
            onThreads(threads) { thread in
                let seed = seed &+ UInt64(thread + 1)
                if thread % 2 == 0 {
                    var runner = TraceRunner(trace, seed: seed)
                    do {
                        while ContinuousClock.now < end {
                            try runner.run(50, on: pool)
                            if thread == 0, runner.operations % 1000 == 0 { pool.trim(to: 64 << 20) }
                        }
                        try runner.freeAll()
                    } catch {
                        findings.withLock { $0.faults.append("\(error), lap \(lap), thread \(thread)") }
                    }
                    let (operations, latencies) = (runner.operations, runner.latencies)
                    findings.withLock {
                        $0.operations += operations
                        add(latencies, to: &$0.latencies)
                    }
                } else {
                    var worker = PoolWorker(world, choices: Choices(seed: seed), isAlone: false)
                    var operations = 0
                    do throws(ModelFailure) {
                        while ContinuousClock.now < end {
                            for _ in 0..<50 { try worker.step() }
                            operations += 50
                        }
                        try worker.finish()
                    } catch {
                        findings.withLock { $0.faults.append("\(error), lap \(lap), thread \(thread)") }
                    }
                    findings.withLock { $0.operations += operations }
                }
            }
            return findings.withLock { $0 }
        }
    }
}
