import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// Pools and threads that end while the engine is in use.
    struct EngineEndTests {
        /// A thread that has the lock by its bias closes the engine while another gives the last tensors back.
        @Test func aPoolEndsWhileItsLastTensorsAreFreed() throws {
            let base = try HybridMemoryPool()
            let ready = Atomic<Int>(0)
            let go = Atomic<Int>(0)
            let rounds = 100
            let mailbox = Mutex<[Owned]>([])
            onThreads(2) { thread in
                for round in 1...rounds {
                    if thread == 1 {
                        spin { ready.load(ordering: .acquiring) >= round }
                        var last = mailbox.withLock { buffers in
                            let all = buffers
                            buffers = []
                            return all
                        }
                        go.store(round, ordering: .releasing)
                        // Now before the end begins, now in its midst, now after it.
                        let start = MonotonicClock.now()
                        let wait = UInt64(round % 50) * 60_000
                        spin { MonotonicClock.now() - start >= wait }
                        while !last.isEmpty { last.removeLast() }
                        continue
                    }
                    guard let pool = try? OptimizedTensorMemoryPool(base, configuration: .bare) else {
                        Issue.record("no pool")
                        return
                    }
                    // Much to give back, so that the end takes its time.
                    for _ in 0..<2 { _ = try? pool.own(24 << 20, zeroed: true) }
                    var kept: [Owned] = []
                    for place in 0..<60 {
                        guard let buffer = try? pool.own(place % 3 == 0 ? 500 : 40_000) else { continue }
                        if place % 5 == 0 { buffer.fill(1) }
                        kept.append(buffer)
                    }
                    // Every other one, so that there is much to give back.
                    mailbox.withLock { $0 = stride(from: 0, to: kept.count, by: 2).map { kept[$0] } }
                    kept = []
                    ready.store(round, ordering: .releasing)
                    spin { go.load(ordering: .acquiring) >= round }
                    // The pool ends here.
                }
            }
            #expect(base.reservedByteCount == 0)
            #expect(base.memory.engines().count == 1)
        }

        /// Threads that end with the lock biased to their cache, which the next one takes over.
        @Test func threadsEndWhileTheLockIsTheirs() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .uncached)
            onThreads(3) { thread in
                for _ in 0..<150 {
                    onAnotherThread {
                        var live: [Owned] = []
                        for step in 0..<40 {
                            guard let buffer = try? pool.own(20_000 + 16_384 * (step % 5)) else { return }
                            live.append(buffer)
                            if step % 3 == 0 { live.removeFirst() }
                        }
                    }
                }
            }
            let statistics = pool.statistics()
            #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0)
            #expect(statistics.allocations == 3 * 150 * 40)
            expectSums(statistics)
            let runs = pool.front.engine.withState { state in
                state.heap.free.sortedRuns().reduce(0) { $0 + $1.count }
            }
            let granules = pool.front.engine.withState { state in
                state.heap.slabs.indices.reduce(0) { $0 + state.heap.slabs[$1].granuleCount }
            }
            #expect(runs == granules)
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }
    }
}
