import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    /// What a thread keeps of the spans it freed, in small and in large heaps.
    struct SpanCacheTests {
        /// Bytes that the threads' caches keep in spans, what they were granted, and whether that is what the limits of
        /// their bins add up to.
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
                        let size = unsafe Int(bin.pointee.granules) << Granule.shift
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

        @Test func aSmallHeapKeepsSpansWithinItsBudget() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.threadSpanCacheByteLimit = 1 << 20
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            var most = 0
            var random = SeededRandom(SeededRandom.runSeed("SpanCacheTests.budget"))
            for _ in 0..<500 {
                let spans = try (0..<1 + random.below(8)).map { _ in try pool.own(16_384 * (1 + random.below(12))) }
                #expect(!spans.isEmpty)
                let account = Self.spanAccount(pool.front.engine)
                most = max(most, account.granted)
                let engine = pool.front.engine
                let (caches, isContested) = engine.withState { unsafe ($0.caches.count, engine.lock.isContested) }
                #expect(
                    account.isExact && account.granted <= 1 << 20,
                    "\(account), \(caches) caches, in turns: \(isContested)")
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
            var random = SeededRandom(SeededRandom.runSeed("SpanCacheTests.drift"))
            for round in 0..<60 {
                let large = round % 6 == 0 ? try pool.own(24 << 20) : nil
                for _ in 0..<150 {
                    let sizes = (0..<1 + random.below(5)).map { _ in 16_384 * (1 + random.below(6 + round % 3 * 20)) }
                    var spans = try sizes.map { try pool.own($0) }
                    while !spans.isEmpty { spans.remove(at: random.below(spans.count)) }
                }
                #expect(Self.spanAccount(engine).isExact, "round \(round)")
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

        /// Threads that take turns at the lock take and give several spans at a time, within four times the budget.
        @Test(arguments: [2 << 20, 20 << 20]) func threadsThatShareTheHeapKeepMore(heldByteCount: Int) throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.threadSpanCacheByteLimit = 256 << 10
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            let engine = pool.front.engine
            let held = try pool.own(heldByteCount)
            // Granules that were in use before.
            do { _ = try (0..<80).map { _ in try pool.own(100_000) } }
            let alone = try Self.hits(of: pool)
            onAnotherThread { _ = try? pool.own(300_000) }
            #expect(engine.withState { _ in engine.lock.isContested })
            let shared = try Self.hits(of: pool)
            #expect(shared > alone + 3, "\(alone) alone, \(shared) with another thread")
            let account = Self.spanAccount(engine)
            #expect(account.isExact && account.granted > 256 << 10 && account.granted <= 1 << 20)
            #expect(account.kept > 0)
            expectSums(pool.statistics())
            // Alone again, a thread is so again.
            for _ in 0..<20_000 { engine.withState { _ in } }
            #expect(engine.withState { _ in !engine.lock.isContested })
            for _ in 0..<5000 { _ = (try pool.own(1_500_000), try pool.own(2_500_000)) }
            #expect(Self.spanAccount(engine).granted <= (heldByteCount > 16 << 20 ? 0 : 256 << 10))
            pool.trim()
            #expect(Self.spanAccount(engine) == (0, 0, true))
            #expect(held.byteCount == heldByteCount)
        }

        /// A standard pool's misses are calls of jemalloc: it keeps its last span until another takes its place, and no more
        /// than it may, whether threads take turns or not.
        @Test func fastReuseKeepsWhatItMay() throws {
            let pool = try TensorMemoryPool(HybridMemoryPool())
            try pool.applyPerformanceEnhancements(
                EnhancedTensorPoolConfig(fastReuseByteLimit: 64 << 10, enablePrewarming: false))
            let engine = pool.front.engine
            for isShared in [false, true] {
                if isShared { onAnotherThread { _ = try? pool.own(300_000) } }
                do { _ = try (0..<20).map { _ in try pool.own(50_000) } }
                let account = Self.spanAccount(engine)
                #expect(account.isExact && account.granted <= 64 << 10)
                let before = pool.statistics().cacheHits
                for _ in 0..<50 {
                    let outer = try pool.own(300_000)
                    let inner = try pool.own(90_000)
                    #expect(inner.byteCount < outer.byteCount)
                }
                #expect(pool.statistics().cacheHits >= before + 45, "one of two sizes beyond the budget stays")
                expectSums(pool.statistics())
            }
        }

        /// Allocations of 40 spans of four sizes that the thread's cache served, after as many were freed; contents checked.
        private static func hits(of pool: OptimizedTensorMemoryPool) throws -> Int {
            var spans: [Owned] = []
            for round in 0..<2 {
                let before = pool.statistics().cacheHits
                for index in 0..<40 {
                    let span = try pool.own(16_000 + index % 4 * 16_384)
                    span.fill(UInt64(index))
                    spans.append(span)
                }
                for (index, span) in spans.enumerated() { #expect(span.holds(UInt64(index))) }
                spans.removeAll()
                if round == 1 { return pool.statistics().cacheHits - before }
            }
            return 0
        }
    }
}
