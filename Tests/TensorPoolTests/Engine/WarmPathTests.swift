import CThreadSlot
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// What the depot and the heap serve without the cold path.
    struct WarmPathTests {
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

        @Test func handlesThatTheHeapServesAreCheckedAsAllAre() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            // A heap that is not small: its spans go back at their frees.
            let ballast = try pool.own(32 << 20)
            var handles = try (0..<200 as Range<UInt64>).map { try pool.allocateTensor(id: $0, byteCount: 100_000) }
            let coldBefore = pool.front.engine.withState { $0.coldAllocations }
            for round in 0..<3 {
                let before = pool.statistics()
                for (id, handle) in handles.enumerated() { try pool.deallocateTensor(id: UInt64(id), handle) }
                #expect(pool.statistics().liveBytes == ballast.byteCount, "round \(round)")
                #expect(throws: TensorPoolError.freedTwice(tensorID: 7)) {
                    try pool.deallocateTensor(id: 7, handles[7])
                }
                let stale = handles[7]
                handles = try (0..<200 as Range<UInt64>).map { try pool.allocateTensor(id: $0, byteCount: 100_000) }
                #expect(throws: TensorPoolError.self) { try pool.deallocateTensor(id: 7, stale) }
                for (id, handle) in handles.enumerated() { unsafe Fixtures.fill(handle.bytes, UInt64(id)) }
                for (id, handle) in handles.enumerated() { #expect(unsafe Fixtures.holds(handle.bytes, UInt64(id))) }
                let after = pool.statistics()
                #expect(after.allocations == before.allocations + 200 && after.liveTensors == 201)
                #expect(after.backendAllocations == before.backendAllocations, "round \(round)")
                expectSums(after)
            }
            let coldAllocations = pool.front.engine.withState { $0.coldAllocations } - coldBefore
            #expect(coldAllocations < 10, "the cold path was not needed")
            for (id, handle) in handles.enumerated() { try pool.deallocateTensor(id: UInt64(id), handle) }
            #expect(ballast.byteCount == pool.statistics().liveBytes)
        }

        /// Another thread frees a handle while its owner does, under the lock that is biased to it. A pool has one such
        /// moment, for it ends the bias: so there are many pools.
        @Test func aHandleThatIsFreedTwiceAtOnceUnderTheBiasIsFreedOnce() throws {
            let base = try HybridMemoryPool()
            for round in 0..<300 {
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let shared = Mutex<MemoryHandle?>(nil)
                let freed = Atomic<Int>(0)
                let refused = Atomic<Int>(0)
                let isShared = Atomic(false)
                @Sendable func free(_ handle: MemoryHandle) {
                    switch pool.refusedFree(9, handle) {
                    case nil: freed.add(1, ordering: .relaxed)
                    case .freedTwice, .staleHandle: refused.add(1, ordering: .relaxed)
                    case let error?: Issue.record("\(error)")
                    }
                }
                let owner = SystemThread {
                    defer { isShared.store(true, ordering: .releasing) }
                    // A heap that is not small, and a span that it did not hand out last: the thread may not keep it.
                    guard let ballast = try? pool.own(32 << 20),
                        let handle = try? pool.allocateTensor(id: 9, byteCount: 100_000),
                        let last = try? pool.own(100_000)
                    else {
                        Issue.record("no memory")
                        return
                    }
                    let cache = pool.front.engine.withState { state in
                        unsafe UInt(bitPattern: pool.front.engine.currentCache(&state))
                    }
                    let biased = unsafe UInt(bitPattern: pool.front.engine.lock.bias.pointee)
                    #expect(biased == cache || !tensorpool_can_bias)
                    shared.withLock { $0 = handle }
                    isShared.store(true, ordering: .releasing)
                    // So that now this one, now the other comes first.
                    for _ in 0..<round % 60 { _ = isShared.load(ordering: .relaxed) }
                    free(handle)
                    #expect(last.byteCount + ballast.byteCount > 32 << 20)
                }
                spin { isShared.load(ordering: .acquiring) }
                if let handle = shared.withLock({ $0 }) { free(handle) }
                owner.join()
                let statistics = pool.statistics()
                #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0, "round \(round)")
                #expect(statistics.allocations == 3 && statistics.deallocations == 3)
                // Nothing is absorbed: a span that may not be kept is freed under the lock.
                #expect(freed.load(ordering: .relaxed) == 1 && refused.load(ordering: .relaxed) == 1)
                #expect(statistics.absorbedFrees == 0)
                expectSums(statistics)
            }
        }

        @Test func aHandleForWhichTheThreadHasNoRecordGetsTheBlockThatItKeeps() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let address = try pool.own(100_000).address
            var handles: [MemoryHandle] = []
            let engine = pool.front.engine
            let cache = unsafe try #require(engine.withState { unsafe engine.currentCache(&$0) })
            repeat {
                handles.append(try pool.allocateTensor(id: UInt64(handles.count), byteCount: 64))
            } while unsafe !cache.bin(CacheLayout.recordBin).pointee.isEmpty
            let before = pool.statistics()
            let handle = try pool.allocateTensor(id: 1000, byteCount: 100_000)
            #expect(unsafe UInt(bitPattern: handle.baseAddress) == address)
            let after = pool.statistics()
            #expect(after.cacheHits == before.cacheHits + 1 && after.allocations == before.allocations + 1)
            expectSums(after)
            try pool.deallocateTensor(id: 1000, handle)
            for (id, handle) in handles.enumerated() { try pool.deallocateTensor(id: UInt64(id), handle) }
            #expect(pool.statistics().liveTensors == 0)
        }

        /// A thread's budget may be used up by other sizes: then a bin has no limit to keep a part of.
        @Test(arguments: [0, 10_000, 100_000]) func aBinWithoutBudgetKeepsNothing(limit: Int) throws {
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.threadCacheByteLimit = limit
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            for round in 0..<3 {
                for byteCount in [64, 1000, 4000, 8192, 12_000, 14_000] {
                    let live = try (0..<50).map { _ in try pool.own(byteCount) }
                    for (index, tensor) in live.enumerated() { tensor.fill(UInt64(round * 1000 + index)) }
                    for (index, tensor) in live.enumerated() { #expect(tensor.holds(UInt64(round * 1000 + index))) }
                }
                expectSums(pool.statistics())
                #expect(pool.statistics().liveTensors == 0)
            }
        }

        /// Figures come from the counts of each bin, whichever of three paths served.
        @Test func sumsHoldOnEveryPath() throws {
            var prefetching = OptimizedTensorPoolConfig.bare
            prefetching.enablePrefetching = true
            for configuration in [OptimizedTensorPoolConfig.bare, .uncached, .training, prefetching] {
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
            for _ in 0..<20_000 {
                _ = try pool.own(200_000)
                _ = try pool.own(70_000)
            }
            let timed = engine.samples().miss.count
            // Of 80,000 allocations and frees one in 4,095 is on the cold path, which times the allocations among them.
            let expected = 40_000 / (Int(EngineState.warmGrant) + 1)
            // Each release, one in 100 ms, ends a grant early and has the next allocations need new memory.
            let releases = engine.withState { $0.pressureReleases }
            #expect(abs(timed - expected) <= 3 + 2 * releases, "\(timed) and not \(expected)")
            #expect(pool.statistics().cacheHits == 0 && releases >= 1)
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
    }
}
