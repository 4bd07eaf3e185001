import Foundation
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// What the depot and the heap serve without the cold path.
    struct WarmPathTests {
        /// Bytes that the threads' caches keep in spans, and what their budget says they may; nil where an account is
        /// wrong.
        private static func spanAccount(_ engine: Engine) -> (kept: Int, granted: Int, isExact: Bool) {
            engine.withState { state in
                var kept = 0
                var granted = 0
                var isExact = true
                for place in unsafe state.caches.indices {
                    let cache = unsafe state.caches[place]
                    var limits = 0
                    for index in CacheLayout.firstSpanBin..<CacheLayout.recordBin {
                        let bin = unsafe cache.bin(index)
                        let size = unsafe bin.pointee.granules << Granule.shift
                        unsafe kept += Int(bin.pointee.count) * size
                        let beyond = unsafe cache.pointee.lastBin == index ? 1 : 0
                        unsafe limits += (Int(bin.pointee.limit) - beyond) * size
                        if unsafe bin.pointee.count > bin.pointee.limit { isExact = false }
                    }
                    if unsafe limits != cache.pointee.grantedSpanBytes { isExact = false }
                    unsafe granted += cache.pointee.grantedSpanBytes
                }
                return (kept, granted, isExact)
            }
        }

        @Test func aMissServedFromTheHeapIsAMiss() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var spans = try (0..<40).map { _ in try pool.own(100_000) }
            spans = []
            let before = pool.statistics()
            // More of them than a thread keeps: the rest comes from the heap, where it was in use before.
            spans = try (0..<40).map { _ in try pool.own(100_000) }
            let after = pool.statistics()
            #expect(after.allocations == before.allocations + 40 && after.liveTensors == 40)
            #expect(after.cacheHits - before.cacheHits <= CacheLayout.spanBinCapacity)
            #expect(after.backendAllocations == before.backendAllocations)
            #expect(after.reservedBytes == before.reservedBytes && after.liveBytes == 40 * 100_000)
            #expect(after.peakLiveBytes == 40 * 100_000)
            expectSums(after)
            for (index, span) in spans.enumerated() { span.fill(UInt64(index)) }
            for (index, span) in spans.enumerated() { #expect(span.holds(UInt64(index))) }
        }

        @Test func aMissServedFromTheDepotIsAMiss() throws {
            let base = try HybridMemoryPool()
            for isStandard in [false, true] {
                let pool: any TensorAllocator =
                    isStandard
                    ? try TensorMemoryPool(base) : try OptimizedTensorMemoryPool(base, configuration: .bare)
                // Another thread's blocks are in the depot once it is gone.
                onAnotherThread {
                    var live: [Owned] = []
                    for _ in 0..<60 { if let buffer = try? pool.own(2048) { live.append(buffer) } }
                    if live.count != 60 { Issue.record("no memory") }
                }
                _ = try pool.own(64)
                let before = pool.statistics()
                let first = try pool.own(2048)
                let second = try pool.allocateTensor(id: 1, byteCount: 2048)
                let after = pool.statistics()
                #expect(after.allocations == before.allocations + 2 && after.liveBytes == 2 * 2048)
                #expect(after.cacheHits <= before.cacheHits + 1)
                #expect(after.backendAllocations == before.backendAllocations)
                #expect(after.reservedBytes == before.reservedBytes)
                expectSums(after)
                first.fill(1)
                unsafe Fixtures.fill(second.bytes, 2)
                #expect(first.holds(1))
                try pool.deallocateTensor(id: 1, second)
            }
        }

        /// Figures come from the counts of each bin, whichever of three paths served.
        @Test func sumsHoldOnEveryPath() throws {
            for configuration in [OptimizedTensorPoolConfig.bare, .uncached, .training] {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                var random = SeededRandom(SeededRandom.runSeed("WarmPathTests.sums"))
                var live: [(Owned, UInt64)] = []
                var handles: [MemoryHandle] = []
                var allocated = 0
                for step in 0..<6000 {
                    let byteCount = 1 + random.below(1 << (4 + random.below(19)))
                    switch random.below(8) {
                    case 0...2:
                        let buffer = try pool.own(byteCount, zeroed: random.below(4) == 0)
                        buffer.fill(UInt64(step))
                        live.append((buffer, UInt64(step)))
                        allocated += 1
                    case 3:
                        let traits = TensorTraits(role: random.below(3) == 0 ? .weight : .activation)
                        let aligned = try pool.own(byteCount, alignment: 1 << (6 + random.below(16)), traits)
                        aligned.fill(UInt64(step))
                        live.append((aligned, UInt64(step)))
                        allocated += 1
                    case 4:
                        handles.append(try pool.allocateTensor(id: UInt64(step), byteCount: byteCount))
                        allocated += 1
                    case 5 where !handles.isEmpty:
                        let handle = handles.remove(at: random.below(handles.count))
                        try pool.deallocateTensor(id: handle.tensorID, handle)
                    default:
                        if !live.isEmpty {
                            let (buffer, pattern) = live.remove(at: random.below(live.count))
                            #expect(buffer.holds(pattern))
                        }
                    }
                    if live.count > 40 { live.removeFirst(30) }
                    if step % 50 != 0 { continue }
                    let statistics = pool.statistics()
                    expectSums(statistics)
                    #expect(statistics.allocations == allocated)
                    #expect(statistics.liveTensors == live.count + handles.count)
                    #expect(
                        statistics.liveBytes == live.reduce(0) { $0 + $1.0.byteCount }
                            + handles.reduce(0) { $0 + $1.byteCount })
                    #expect(statistics.reservedBytes == base.reservedByteCount)
                    if step % 1500 == 0 { pool.trim() }
                }
                for handle in handles { try pool.deallocateTensor(id: handle.tensorID, handle) }
                live = []
                pool.trim()
                #expect(base.reservedByteCount == 0)
            }
        }

        @Test func theSlowPathIsStillTimedAndSwept() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.uncached
            configuration.enableMemoryPressureDetection = true
            configuration.pressureThreshold = .high
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            let engine = pool.front.engine
            engine.withState { $0.pressure = { MemoryPressure(level: .critical, source: "a test") } }
            let keeper = try pool.own(1 << 20)
            // Every one of these is a miss, and none needs new memory.
            for _ in 0..<2000 {
                _ = try pool.own(200_000)
                _ = try pool.own(70_000)
            }
            let timed = engine.samples().miss.count
            #expect(timed >= 4000 / 64 - 2 && timed <= 4000 / 64 + 2)
            let (slow, releases) = engine.withState { ($0.slowAllocations, $0.pressureReleases) }
            #expect(slow >= 4000 && releases >= 1)
            #expect(keeper.byteCount == 1 << 20)
        }

        @Test func whatBecameAWeightIsNotServedAgain() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let engine = pool.front.engine
            for byteCount in [20_000, 200_000, 3 << 20] {
                for _ in 0..<3 { _ = try pool.own(byteCount) }
                let handle = try pool.allocateTensor(id: 1, byteCount: byteCount)
                unsafe Fixtures.fill(handle.bytes, 7)
                let transition = try engine.makeWeight(id: 1, handle, of: engine)
                #expect(transition.copyReason == nil)
                let weight = transition.handle
                #expect(unsafe weight.baseAddress == handle.baseAddress)
                var others: [Owned] = []
                for _ in 0..<30 { others.append(try pool.own(byteCount)) }
                for other in others { other.dirty() }
                #expect(unsafe Fixtures.holds(weight.bytes, 7))
                others = []
                pool.trim()
                #expect(unsafe Fixtures.holds(weight.bytes, 7), "idle memory is given back around it")
                expectSums(pool.statistics())
                #expect(pool.refusedFree(1, handle) != nil)
                try pool.deallocateTensor(id: 1, weight)
                #expect(pool.statistics().liveTensors == 0 && pool.statistics().liveBytes == 0)
                pool.trim()
                #expect(base.reservedByteCount == 0)
            }
        }

        @Test func theLimitIsAskedForEveryNewGranule() throws {
            let limit = 8 << 20
            let base = try HybridMemoryPool(configuration: .init(byteLimit: limit))
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var random = SeededRandom(SeededRandom.runSeed("WarmPathTests.limit"))
            var live: [Owned] = []
            var refused = 0
            for _ in 0..<3000 {
                do {
                    live.append(try pool.own(16_384 + random.below(1 << (10 + random.below(11)))))
                } catch {
                    refused += 1
                    // Memory in pieces may be refused, but never the last part of an empty pool.
                    #expect(live.count > 1)
                    live.removeFirst(live.count / 2)
                }
                if random.below(2) == 0 && !live.isEmpty { live.remove(at: random.below(live.count)) }
                #expect(base.reservedByteCount <= limit)
            }
            live = try (0..<8).map { _ in
                live = []
                return try pool.own(1 << 20)
            }
            expectSums(pool.statistics())
        }

        @Test func aSmallHeapKeepsSpansWithinItsBudget() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.threadSpanCacheByteLimit = 1 << 20
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            var most = 0
            var random = SeededRandom(SeededRandom.runSeed("WarmPathTests.budget"))
            for _ in 0..<500 {
                let spans = try (0..<1 + random.below(8)).map { _ in try pool.own(16_384 * (1 + random.below(12))) }
                #expect(!spans.isEmpty)
                let account = Self.spanAccount(pool.front.engine)
                most = max(most, account.granted)
                #expect(account.isExact && account.granted <= 1 << 20)
            }
            #expect(most > 512 << 10)
            pool.trim()
            let account = Self.spanAccount(pool.front.engine)
            #expect(account == (0, 0, true))
        }

        /// A heap that is now small and now large, with a thread whose budget is exhausted at times.
        @Test func aBudgetIsNeverLost() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.threadSpanCacheByteLimit = 512 << 10
            configuration.enableAdaptiveCleanup = true
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            let engine = pool.front.engine
            var random = SeededRandom(SeededRandom.runSeed("WarmPathTests.drift"))
            for round in 0..<60 {
                let large = round % 6 == 0 ? try pool.own(24 << 20) : nil
                for _ in 0..<150 {
                    let sizes = (0..<1 + random.below(5)).map { _ in 16_384 * (1 + random.below(6 + round % 3 * 20)) }
                    var spans = try sizes.map { try pool.own($0) }
                    while !spans.isEmpty { spans.remove(at: random.below(spans.count)) }
                }
                #expect(Self.spanAccount(engine).isExact, "round \\(round)")
                #expect(large == nil || large?.byteCount == 24 << 20)
            }
            pool.trim()
            #expect(Self.spanAccount(engine) == (0, 0, true))
        }

        @Test func aLargeHeapKeepsOneSpan() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let large = try pool.own(20 << 20)
            for byteCount in [20_000, 300_000, 64 << 20] {
                _ = try pool.own(byteCount)
                _ = try pool.own(byteCount)
                let before = pool.statistics()
                for _ in 0..<50 { _ = try pool.own(byteCount) }
                #expect(
                    pool.statistics().cacheHits == before.cacheHits + 50,
                    "\(byteCount) bytes: a loop stays in the cache")
                var spans = try (0..<10).map { _ in try pool.own(byteCount) }
                spans = []
                #expect(spans.isEmpty)
                let kept = pool.front.engine.withState { state in
                    (CacheLayout.firstSpanBin..<CacheLayout.recordBin).reduce(0) {
                        unsafe $0 + Int(state.caches[0].bin($1).pointee.count)
                    }
                }
                #expect(kept <= 1)
                if byteCount > 1 << 20 { pool.trim() }
            }
            #expect(large.byteCount == 20 << 20)
        }

        /// Aligned requests ask for slack, so that a hole as large as the tensor alone is not seen.
        @Test func alignedTensorsThatComeAndGoSettle() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var random = SeededRandom(SeededRandom.runSeed("WarmPathTests.aligned"))
            var live = try (0..<16).map { _ in try pool.own(1 << 20, alignment: 1 << 20) }
            for _ in 0..<2000 {
                let place = random.below(live.count)
                live.remove(at: place)
                live.append(try pool.own(1 << 20, alignment: 1 << 20))
            }
            let reserved = pool.statistics().reservedBytes
            #expect(reserved <= 2 * 16 << 20, "\(reserved) bytes for 16 MiB")
            #expect(live.allSatisfy { $0.address % (1 << 20) == 0 })
        }

        @Test func requestsThatNoSlabCanHoldAreRefused() throws {
            for limit in [nil, 1 << 62] {
                let base = try HybridMemoryPool(configuration: .init(byteLimit: limit))
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                _ = try pool.own(100_000)
                for shift in 42...46 {
                    for byteCount in [1 << shift, 1 << shift - 1] {
                        #expect(pool.refusedBuffer(byteCount) == .outOfMemory(byteCount: byteCount))
                        #expect(pool.refusedBuffer(byteCount, alignment: 2 << 20) == .outOfMemory(byteCount: byteCount))
                        #expect(pool.refusedTensor(byteCount) == .outOfMemory(byteCount: byteCount))
                    }
                }
                _ = try pool.own(100_000)
                expectSums(pool.statistics())
            }
        }

        /// Slabs of other sizes in the numbers of one that was given back.
        @Test func slabsOfAllSizesComeAndGo() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var random = SeededRandom(SeededRandom.runSeed("WarmPathTests.slabs"))
            for _ in 0..<40 {
                var live: [(Owned, UInt64)] = []
                for step in 0..<60 {
                    let byteCount = 16_384 << random.below(step % 10 == 0 ? 11 : 6)
                    let buffer = try pool.own(byteCount)
                    buffer.fill(UInt64(step))
                    live.append((buffer, UInt64(step)))
                    if random.below(3) == 0 { live.remove(at: random.below(live.count)) }
                }
                for (buffer, pattern) in live { #expect(buffer.holds(pattern)) }
                // Some of them outlive the trim.
                while live.count > random.below(4) { live.remove(at: random.below(live.count)) }
                pool.trim()
                for (buffer, pattern) in live { #expect(buffer.holds(pattern)) }
            }
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        /// A thread that has the lock by its bias closes the engine while another gives the last tensors back.
        @Test func aPoolEndsWhileItsLastTensorsAreFreed() throws {
            let base = try HybridMemoryPool()
            let ready = Atomic<Int>(0)
            let go = Atomic<Int>(0)
            let rounds = 400
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
                        while !last.isEmpty { last.removeLast() }
                        continue
                    }
                    guard let pool = try? OptimizedTensorMemoryPool(base, configuration: .bare) else {
                        Issue.record("no pool")
                        return
                    }
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
