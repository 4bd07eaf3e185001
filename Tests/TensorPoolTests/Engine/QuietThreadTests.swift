import Foundation
import Testing

@testable import TensorPool

extension PoolTests {
    /// What a thread keeps that does nothing any more.
    struct QuietThreadTests {
        /// A thread that fills its cache, does some work when it is told to, and ends when it is told to.
        private final class Worker: @unchecked Sendable {
            private let pool: OptimizedTensorMemoryPool
            private let go = DispatchSemaphore(value: 0)
            private let done = DispatchSemaphore(value: 0)
            private let ended = DispatchSemaphore(value: 0)
            private var isEnding = false

            init(_ pool: OptimizedTensorMemoryPool) {
                self.pool = pool
                Thread.detachNewThread { [self] in
                    repeat {
                        for byteCount in [100, 4096, 40_000] {
                            let live = (0..<3).map { _ in try? pool.own(byteCount) }
                            #expect(live.allSatisfy { $0 != nil })
                        }
                        done.signal()
                        go.wait()
                    } while !isEnding
                    ended.signal()
                }
                done.wait()
            }

            func work() {
                go.signal()
                done.wait()
            }

            func end() {
                isEnding = true
                go.signal()
                ended.wait()
            }
        }

        /// Blocks that the caches of other threads keep.
        private static func keptByOthers(_ engine: Engine) -> Int {
            engine.withState { state in
                var kept = 0
                let own = unsafe engine.ownCache
                for place in unsafe state.caches.indices where unsafe state.caches[place] != own {
                    for index in 0..<CacheLayout.recordBin {
                        unsafe kept += state.caches[place].bin(index).pointee.count
                    }
                }
                return kept
            }
        }

        @Test func aQuietThreadGivesUpItsCacheAndABusyOneDoesNot() throws {
            let pool = try OptimizedTensorMemoryPool(try HybridMemoryPool(), configuration: .bare)
            let engine = pool.front.engine
            let worker = Worker(pool)
            defer { worker.end() }
            engine.withState { engine.scavengeQuietThreads(&$0) }
            let kept = Self.keptByOthers(engine)
            #expect(kept > 3)
            worker.work()
            engine.withState { engine.scavengeQuietThreads(&$0) }
            #expect(Self.keptByOthers(engine) == kept, "it worked since the last look")
            let reserved = pool.statistics().reservedBytes
            engine.withState { engine.scavengeQuietThreads(&$0) }
            #expect(Self.keptByOthers(engine) == 0)
            #expect(pool.statistics().reservedBytes == reserved, "what it kept stays with the pool")
            expectSums(pool.statistics())
            worker.work()
            #expect(Self.keptByOthers(engine) > 3)
        }

        @Test func othersLookWhenTheyAreSwept() throws {
            let pool = try OptimizedTensorMemoryPool(try HybridMemoryPool(), configuration: .bare)
            let engine = pool.front.engine
            engine.withState { $0.quietInterval = 0 }
            let worker = Worker(pool)
            defer { worker.end() }
            #expect(Self.keptByOthers(engine) > 0)
            // Off the hot path: an alignment that no cache serves.
            for _ in 0..<4 * EngineState.sweepInterval { _ = try pool.own(20_000, alignment: 32_768) }
            #expect(Self.keptByOthers(engine) == 0)
        }
    }
}
