import CThreadSlot
import Foundation
import Testing

@testable import TensorPool

extension PoolTests {
    /// Leaks, and tensors that are freed twice.
    struct TrackingTests {
        @Test(arguments: WatchedPool.allCases)
        func aSecondFreeNamesAllPlaces(_ pool: WatchedPool) throws {
            let (pool, base) = try pool.make("track,backtraces")
            let findings = Findings(of: base)
            let tensor = try pool.allocateTensor(id: 11, byteCount: 2000)
            let firstFreeing = Box<UInt64>(0)
            onAnotherThread {
                firstFreeing.value = tensorpool_thread_id()
                try? pool.deallocateTensor(id: 11, tensor)
            }
            #expect(pool.refusedFree(11, tensor) == .freedTwice(tensorID: 11))
            var finding = try #require(findings.take().first)
            #expect(finding.kind == .freedTwice && finding.tensorID == 11 && finding.byteCount == 2000)
            #expect(!finding.isDamage)
            #expect(finding.allocation?.threadID == tensorpool_thread_id())
            #expect(finding.freeing?.threadID == firstFreeing.value)
            #expect(finding.secondFreeing?.threadID == tensorpool_thread_id())
            for location in [finding.allocation, finding.freeing, finding.secondFreeing] {
                #expect(try #require(location).frames.count > 2)
                #expect(location?.symbols().count == location?.frames.count)
            }
            #expect(finding.description.contains("freed again by thread"))
            // The record has another tensor by now.
            let next = try pool.allocateTensor(id: 12, byteCount: 2000)
            _ = pool.refusedFree(11, tensor)
            finding = try #require(findings.take().first)
            #expect(finding.kind == .freedTwice && finding.tensorID == 11)
            try pool.deallocateTensor(id: 12, next)
            #expect(findings.take().isEmpty)
        }

        @Test func threadsWithoutStacks() throws {
            let (pool, base) = try WatchedPool.standard.make("track")
            let findings = Findings(of: base)
            let tensor = try pool.allocateTensor(id: 11, byteCount: 2000)
            try pool.deallocateTensor(id: 11, tensor)
            _ = pool.refusedFree(11, tensor)
            let finding = try #require(findings.take().first)
            #expect(finding.allocation?.frames.isEmpty == true && finding.secondFreeing != nil)
        }

        @Test(arguments: WatchedPool.allCases)
        func whatIsLiveAtTheEndIsALeak(_ kind: WatchedPool) throws {
            var made: (pool: any ObservablePool, base: HybridMemoryPool)? = try kind.make("leaks,backtraces")
            let findings = Findings(of: try found(made?.base))
            let buffer = try found(made?.pool).own(500)
            _ = try found(made?.pool).allocateTensor(id: 21, byteCount: 900_000)
            let freed = try found(made?.pool).allocateTensor(id: 22, byteCount: 900)
            try found(made?.pool).deallocateTensor(id: 22, freed)
            let reported = try found(made?.pool).reportLeaks()
            #expect(reported.map(\.tensorID) == [21, nil] && reported.map(\.byteCount) == [900_000, 500])
            #expect(reported.allSatisfy { $0.kind == .leaked && $0.allocation?.frames.isEmpty == false })
            #expect(Set(findings.take()) == Set(reported))
            made = nil
            #expect(Set(findings.take().map(\.tensorID)) == [21, nil])
            #expect(buffer.byteCount == 500)
        }

        /// Without a handler leaks are printed and nothing ends.
        @Test func leaksArePrinted() async throws {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                let (pool, _) = try WatchedPool.optimized.make("leaks")
                _ = try pool.allocateTensor(id: 31, byteCount: 4000)
            }
            let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            #expect(message.contains("TensorPool: tensor 31 (4000 bytes) was not freed"), "\(message)")
        }

        /// A pool that is there to the end. Also where another thread had the engine's lock last.
        @Test(arguments: [false, true]) func leaksArePrintedAtExit(_ isElsewhere: Bool) async throws {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                [isElsewhere] in
                let (pool, _) = try WatchedPool.optimized.make("leaks")
                @Sendable func use() {
                    for id in 1...40 { _ = try? pool.allocateTensor(id: UInt64(id), byteCount: 4000) }
                }
                if isElsewhere { onAnotherThread { use() } } else { use() }
                withExtendedLifetime(pool) { exit(0) }
            }
            let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            for id in 1...40 {
                #expect(message.contains("TensorPool: tensor \(id) (4000 bytes) was not freed"), "\(message)")
            }
        }

        /// A thread that holds the lock of an engine for good does not keep the process.
        @Test func theExitWaitsForNoLock() async throws {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                let (pool, _) = try WatchedPool.optimized.make("leaks")
                _ = try pool.allocateTensor(id: 31, byteCount: 4000)
                let engine = try found(pool as? OptimizedTensorMemoryPool).front.engine
                alarm(60)
                engine.withState { _ in exit(0) }
            }
            let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            #expect(message.contains("what is live in a pool is not told"), "\(message)")
        }

        /// Each look at a closure in a generic lock once wrapped it once more, until a call overflowed the stack.
        @Test func handlersAreAskedAsOftenAsItTakes() throws {
            let handler = FindingHandler()
            let (pool, _) = try WatchedPool.standard.make("leaks")
            let tensor = try pool.allocateTensor(id: 1, byteCount: 64)
            let leak = try #require(pool.reportLeaks().first)
            let count = Box(0)
            handler.set { _ in count.value += 1 }
            for _ in 0..<200_000 { handler.report(leak) }
            #expect(count.value == 200_000)
            let limits = LimitHandler { _ in
                count.value -= 1
                return .fail
            }
            let report = LimitReport(
                scope: .pool, requested: 1, needed: 1, limit: 1, reserved: 1, live: 1, cached: 0, advice: "")
            for _ in 0..<200_000 { _ = limits.ask { report } }
            #expect(count.value == 0)
            try pool.deallocateTensor(id: 1, tensor)
        }

        @Test func theHistoryIsBounded() throws {
            let (pool, base) = try WatchedPool.standard.make("track")
            let findings = Findings(of: base)
            let first = try pool.allocateTensor(id: 1, byteCount: 64)
            try pool.deallocateTensor(id: 1, first)
            for id in 2...UInt64(FreeHistory.capacity + 1) {
                let tensor = try pool.allocateTensor(id: id, byteCount: 64)
                try pool.deallocateTensor(id: id, tensor)
            }
            #expect(pool.refusedFree(1, first) != nil)
            #expect(findings.take().isEmpty)
        }

        private final class Box<Value>: @unchecked Sendable {
            var value: Value
            init(_ value: Value) { self.value = value }
        }
    }
}
