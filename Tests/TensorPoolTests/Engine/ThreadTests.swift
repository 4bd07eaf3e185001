import Foundation
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// Threads that come, go, and free what others allocated.
    struct ThreadTests {
        static let sizes = [100, 4096, 14_000, 20_000, 100_000, 1 << 20, 5 << 20]

        /// The pools' engines, whose caches can be looked at.
        private static func pools(_ base: HybridMemoryPool) throws -> [(any TensorAllocator, Engine)] {
            let standard = try TensorMemoryPool(base)
            let optimized = try OptimizedTensorMemoryPool(base, configuration: .bare)
            return [(standard, standard.front.engine), (optimized, optimized.front.engine)]
        }

        private static func cacheCount(_ engine: Engine) -> (all: Int, owned: Int) {
            engine.withState { state in
                (
                    unsafe state.caches.count,
                    unsafe state.caches.indices.count { unsafe state.caches[$0].pointee.owner != nil }
                )
            }
        }

        @Test func aThreadsCacheGoesBackWhenItExits() throws {
            let base = try HybridMemoryPool()
            for (pool, engine) in try Self.pools(base) {
                onAnotherThread {
                    for byteCount in Self.sizes {
                        for _ in 0..<5 {
                            guard let buffer = try? pool.own(byteCount),
                                let handle = try? pool.allocateTensor(id: 1, byteCount: byteCount)
                            else {
                                Issue.record("no memory")
                                return
                            }
                            buffer.fill(1)
                            try? pool.deallocateTensor(id: 1, handle)
                        }
                    }
                    #expect(Self.cacheCount(engine).owned == 1)
                }
                #expect(Self.cacheCount(engine) == (1, 0))
                let inCaches = engine.withState { state in
                    (0..<CacheLayout.binCount).reduce(0) {
                        unsafe $0 + Int(state.caches[0].bin($1).pointee.count)
                    }
                }
                #expect(inCaches == 0)
                let statistics = pool.statistics()
                #expect(statistics.liveBytes == 0 && statistics.liveTensors == 0)
                #expect(statistics.allocations == Self.sizes.count * 10)
                expectSums(statistics)
                // The next thread takes the cache over.
                onAnotherThread { _ = try? pool.own(100) }
                #expect(Self.cacheCount(engine) == (1, 0))
                pool.trim()
            }
            #expect(base.reservedByteCount == 0)
        }

        @Test func thousandsOfShortThreadsLeaveNothing() throws {
            let base = try HybridMemoryPool()
            for (pool, engine) in try Self.pools(base) {
                let kept = Box<[MemoryHandle]>([])
                @Sendable func work() {
                    guard let buffer = try? pool.own(20_000), let small = try? pool.own(500),
                        let handle = try? pool.allocateTensor(id: 3, byteCount: 3000)
                    else {
                        Issue.record("no memory")
                        return
                    }
                    buffer.fill(2)
                    small.fill(3)
                    kept.value.append(handle)
                    // What the thread before left.
                    if kept.value.count > 1 { try? pool.deallocateTensor(id: 3, kept.value.removeFirst()) }
                }
                for _ in 0..<50 { onAnotherThread(work) }
                let before = pool.statistics()
                for _ in 0..<1000 { onAnotherThread(work) }
                let after = pool.statistics()
                #expect(after.reservedBytes <= before.reservedBytes)
                #expect(after.metadataBytes == before.metadataBytes)
                #expect(after.liveTensors == 1 && after.absorbedFrees == 0)
                #expect(Self.cacheCount(engine).all <= 2)
                expectSums(after)
                try pool.deallocateTensor(id: 3, kept.value[0])
            }
            #expect(base.statistics().liveBytes == 0)
        }

        @Test func buffersEndOnOtherThreads() throws {
            let base = try HybridMemoryPool()
            for (pool, _) in try Self.pools(base) + [(base, base.memory.engines()[0])] {
                let mailbox = Mutex<[(Owned, UInt64)]>([])
                let producers = Atomic<Int>(2)
                let seed = SeededRandom.runSeed("ThreadTests.buffers")
                onThreads(4) { thread in
                    var random = SeededRandom(seed &+ UInt64(thread))
                    if thread < 2 {
                        for _ in 0..<1500 {
                            let byteCount = 1 + random.below(random.below(8) == 0 ? 1 << 20 : 20_000)
                            guard let buffer = try? pool.own(byteCount) else {
                                Issue.record("no memory")
                                return
                            }
                            let pattern = random.next()
                            buffer.fill(pattern)
                            while mailbox.withLock({ $0.count }) > 100 { sched_yield() }
                            mailbox.withLock { $0.append((buffer, pattern)) }
                        }
                        producers.subtract(1, ordering: .releasing)
                        return
                    }
                    while true {
                        let wasDone = producers.load(ordering: .acquiring) == 0
                        guard let (buffer, pattern) = mailbox.withLock({ $0.popLast() }) else {
                            if wasDone { break }
                            sched_yield()
                            continue
                        }
                        if !buffer.holds(pattern) { Issue.record("contents changed on the way") }
                    }
                }
                mailbox.withLock { $0 = [] }
                #expect(pool.statistics().liveTensors == 0 && pool.statistics().liveBytes == 0)
                #expect(pool.statistics().allocations % 3000 == 0 && pool.statistics().allocations > 0)
                expectSums(pool.statistics())
            }
        }

        @Test(arguments: [100, 20_000, 1 << 20])
        func aHandleFreedElsewhereWaitsForItsOwner(byteCount: Int) throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let engine = pool.front.engine
            let handle = try pool.allocateTensor(id: 1, byteCount: byteCount)
            let gone = try pool.allocateTensor(id: 2, byteCount: byteCount)
            onAnotherThread {
                #expect(pool.refusedFree(1, handle) == nil)
                #expect(pool.refusedFree(1, handle) == .freedTwice(tensorID: 1))
                #expect(base.refusedFree(2, gone) == nil, "through the base as well")
            }
            #expect(pool.refusedFree(1, handle) == .freedTwice(tensorID: 1), "the owner comes second")
            #expect(engine.withState { $0.inboxes.map(\.count) } == [2, 0])
            // The next slow path of the owner frees them, and so do figures.
            let statistics = pool.statistics()
            #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0 && statistics.absorbedFrees == 0)
            #expect(engine.withState { $0.inboxes.map(\.count) } == [0, 0])
            let again = try pool.allocateTensor(id: 3, byteCount: byteCount)
            #expect(unsafe again.baseAddress == handle.baseAddress || again.baseAddress == gone.baseAddress)
            #expect(pool.refusedFree(1, handle) != nil)
            try pool.deallocateTensor(id: 3, again)
        }

        @Test(arguments: [100, 20_000, 1 << 20])
        func theOwnerOfAHandleMayBeGone(byteCount: Int) throws {
            let base = try HybridMemoryPool()
            let pool = try TensorMemoryPool(base)
            let box = Box<[MemoryHandle]>([])
            onAnotherThread {
                for id in 0..<6 {
                    if let handle = try? pool.allocateTensor(id: UInt64(id), byteCount: byteCount) {
                        unsafe Fixtures.fill(handle.bytes, UInt64(id))
                        box.value.append(handle)
                    }
                }
            }
            try #require(box.value.count == 6)
            // Nobody has the cache.
            try pool.deallocateTensor(id: 0, box.value[0])
            #expect(pool.statistics().liveTensors == 5)
            // Another thread has taken it over, and is idle, working, and gone again.
            let ready = Gate()
            let go = Gate()
            let thread = SystemThread {
                _ = try? pool.own(byteCount)
                #expect(pool.refusedFree(1, box.value[1]) == nil, "its own now")
                #expect(pool.refusedFree(1, box.value[1]) == .freedTwice(tensorID: 1))
                ready.open()
                go.wait()
                _ = try? pool.own(byteCount)
            }
            ready.wait()
            try pool.deallocateTensor(id: 2, box.value[2])
            #expect(pool.refusedFree(2, box.value[2]) == .freedTwice(tensorID: 2))
            go.open()
            thread.join()
            try pool.deallocateTensor(id: 3, box.value[3])
            for id in 4..<6 { #expect(unsafe Fixtures.holds(box.value[id].bytes, UInt64(id))) }
            #expect(pool.statistics().liveTensors == 2)
            for id in 4..<6 { try pool.deallocateTensor(id: UInt64(id), box.value[id]) }
            #expect(pool.statistics().liveTensors == 0 && pool.statistics().absorbedFrees == 0)
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        @Test(arguments: [64, 20_000])
        func aHandleFreedTwiceAtOnceIsFreedOnce(byteCount: Int) throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let rounds = 2000
            let current = Mutex<MemoryHandle?>(nil)
            let round = Atomic<Int>(0)
            let finished = Atomic<Int>(0)
            let freed = Atomic<Int>(0)
            let refused = Atomic<Int>(0)
            @Sendable func free(_ handle: MemoryHandle) {
                switch pool.refusedFree(9, handle) {
                case nil: freed.add(1, ordering: .relaxed)
                case .freedTwice, .staleHandle: refused.add(1, ordering: .relaxed)
                case let error?: Issue.record("\(error)")
                }
            }
            let other = SystemThread {
                for number in 1...rounds {
                    spin { round.load(ordering: .acquiring) >= number }
                    if let handle = current.withLock({ $0 }) { free(handle) }
                    finished.store(number, ordering: .releasing)
                }
            }
            let owner = SystemThread {
                for number in 1...rounds {
                    guard let handle = try? pool.allocateTensor(id: 9, byteCount: byteCount) else {
                        Issue.record("no memory")
                        return
                    }
                    current.withLock { $0 = handle }
                    round.store(number, ordering: .releasing)
                    // So that now this one, now the other comes first.
                    for _ in 0..<number % 50 { _ = round.load(ordering: .relaxed) }
                    free(handle)
                    spin { finished.load(ordering: .acquiring) >= number }
                }
            }
            other.join()
            owner.join()
            let statistics = pool.statistics()
            #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0)
            #expect(statistics.deallocations == rounds && statistics.allocations == rounds)
            let successes = freed.load(ordering: .relaxed)
            #expect(successes + refused.load(ordering: .relaxed) == 2 * rounds)
            #expect(successes == rounds + statistics.absorbedFrees, "each absorbed free is one that saw no error")
            #expect(refused.load(ordering: .relaxed) > 0)
            expectSums(statistics)
            // No block and no record is handed out twice.
            let all = try (0..<400).map { _ in try pool.allocateTensor(id: 1, byteCount: byteCount) }
            #expect(unsafe Set(all.map(\.baseAddress)).count == 400)
            #expect(unsafe Set(all.map(\.record)).count == 400)
            for handle in all { try pool.deallocateTensor(id: 1, handle) }
        }

        /// The instant that the test above may or may not meet: another thread claimed a handle between the owner's load
        /// and its store, and the owner's store won.
        @Test(arguments: [64, 20_000])
        func aClaimThatTheOwnerOverwroteComesToNothing(byteCount: Int) throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let engine = pool.front.engine
            // By now the record is free, or another tensor's.
            for isReused in [false, true] {
                for _ in 0..<4 { _ = try pool.own(byteCount) }
                let handle = try pool.allocateTensor(id: 1, byteCount: byteCount)
                try pool.deallocateTensor(id: 1, handle)
                let next = isReused ? try pool.allocateTensor(id: 2, byteCount: byteCount) : nil
                if let next { #expect(unsafe next.record == handle.record) }
                let before = pool.statistics()
                engine.withState { state in
                    let ordinal = RecordStatus.owner(of: handle.state)
                    state.inboxes[ordinal].append(
                        unsafe ReturnedTensor(
                            record: handle.record,
                            claimedState: handle.state - RecordStatus.live + RecordStatus.claimed,
                            address: handle.baseAddress, byteCount: byteCount, kind: handle.kind))
                    unsafe state.caches[ordinal].pointee.hasInbox = true
                }
                var after = pool.statistics()
                #expect(after.absorbedFrees == before.absorbedFrees + 1)
                after.absorbedFrees = before.absorbedFrees
                #expect(after == before)
                if let next { try pool.deallocateTensor(id: 2, next) }
                let all = try (0..<300).map { _ in try pool.allocateTensor(id: 3, byteCount: byteCount) }
                #expect(unsafe Set(all.map(\.baseAddress)).count == 300)
                #expect(unsafe Set(all.map(\.record)).count == 300)
                for handle in all { try pool.deallocateTensor(id: 3, handle) }
            }
            #expect(pool.statistics().liveTensors == 0)
        }

        @Test func figuresAndTrimsMayComeAtAnyTime() throws {
            let base = try HybridMemoryPool()
            let all = try Self.pools(base)
            let isDone = Atomic<Int>(0)
            let workers = 2
            let looks = Atomic<Int>(0)
            let seed = SeededRandom.runSeed("ThreadTests.figures")
            onThreads(workers + 2) { thread in
                if thread >= workers {
                    var step = 0
                    while isDone.load(ordering: .acquiring) < workers {
                        step += 1
                        for (pool, _) in all {
                            let statistics = pool.statistics()
                            if statistics.allocations < statistics.deallocations { Issue.record("\(statistics)") }
                            // The rest of a sum is exact even now: every thread is kept out meanwhile.
                            if statistics.reservedBytes != statistics.accountedBytes { Issue.record("\(statistics)") }
                            if thread == workers && step % 3 == 0 { pool.trim() }
                        }
                        looks.add(1, ordering: .relaxed)
                        sched_yield()
                    }
                    return
                }
                var random = SeededRandom(seed &+ UInt64(thread))
                // Threads that come and go while they are looked at.
                for _ in 0..<25 {
                    let start = random.next()
                    onAnotherThread {
                        var random = SeededRandom(start)
                        var live: [(Owned, UInt64)] = []
                        var handles: [MemoryHandle] = []
                        for _ in 0..<300 {
                            let pool = all[random.below(2)].0
                            let byteCount = 1 + random.below(random.below(10) == 0 ? 1 << 20 : 20_000)
                            guard let buffer = try? pool.own(byteCount),
                                let handle = try? pool.allocateTensor(id: 4, byteCount: byteCount)
                            else {
                                Issue.record("no memory")
                                return
                            }
                            let pattern = random.next()
                            buffer.fill(pattern)
                            unsafe Fixtures.fill(handle.bytes, ~pattern)
                            live.append((buffer, pattern))
                            handles.append(handle)
                            if live.count > 8 {
                                let (old, pattern) = live.remove(at: random.below(live.count))
                                if !old.holds(pattern) { Issue.record("a buffer's contents changed") }
                                let handle = handles.remove(at: random.below(handles.count))
                                if base.refusedFree(4, handle) != nil { Issue.record("a live handle was refused") }
                            }
                        }
                        for handle in handles where base.refusedFree(4, handle) != nil {
                            Issue.record("a live handle was refused")
                        }
                    }
                }
                isDone.add(1, ordering: .releasing)
            }
            #expect(looks.load(ordering: .relaxed) > 10)
            for (pool, engine) in all {
                let statistics = pool.statistics()
                #expect(statistics.liveTensors == 0 && statistics.liveBytes == 0)
                expectSums(statistics)
                #expect(Self.cacheCount(engine).owned == 0)
            }
            base.trim()
            #expect(base.reservedByteCount == 0)
        }

        @Test func figuresAreExactWhileThreadsWork() throws {
            let base = try HybridMemoryPool()
            for (pool, _) in try Self.pools(base) {
                let isDone = Atomic<Bool>(false)
                onThreads(6) { thread in
                    guard thread == 0 else {
                        // Nothing but hot pairs, most of the time.
                        while !isDone.load(ordering: .relaxed) {
                            for _ in 0..<100 { if let buffer = try? pool.allocate(byteCount: 4096) { drop(buffer) } }
                        }
                        return
                    }
                    var wrong = 0
                    for _ in 0..<600 {
                        let statistics = pool.statistics()
                        let isWhole =
                            statistics.reservedBytes == statistics.accountedBytes
                            && statistics.liveBytes == statistics.liveTensors * 4096
                        if !isWhole { wrong += 1 }
                    }
                    isDone.store(true, ordering: .relaxed)
                    #expect(wrong == 0, "every thread is kept out while figures are taken")
                }
            }
        }

        @Test func poolsComeAndGoWhileThreadsFreeTheirTensors() throws {
            let base = try HybridMemoryPool()
            let isDone = Atomic<Bool>(false)
            let mailbox = Mutex<[(Owned, MemoryHandle)]>([])
            onThreads(3) { thread in
                if thread == 0 {
                    for round in 0..<150 {
                        do {
                            let pool: any TensorAllocator =
                                round % 2 == 0
                                ? try TensorMemoryPool(base)
                                : try OptimizedTensorMemoryPool(base, configuration: .bare)
                            for byteCount in [100, 4096, 20_000, 1 << 20] {
                                let buffer = try pool.own(byteCount)
                                buffer.fill(UInt64(byteCount))
                                let handle = try pool.allocateTensor(id: 6, byteCount: byteCount)
                                mailbox.withLock { $0.append((buffer, handle)) }
                            }
                        } catch {
                            Issue.record("\(error)")
                        }
                    }
                    isDone.store(true, ordering: .releasing)
                    return
                }
                while true {
                    let wasDone = isDone.load(ordering: .acquiring)
                    guard let (buffer, handle) = mailbox.withLock({ $0.popLast() }) else {
                        if wasDone { break }
                        sched_yield()
                        continue
                    }
                    if !buffer.holds(UInt64(buffer.byteCount)) { Issue.record("contents changed") }
                    if base.refusedFree(6, handle) != nil { Issue.record("a live handle was refused") }
                    if thread == 2 { _ = base.statistics() }
                }
            }
            #expect(base.reservedByteCount == 0)
            #expect(base.memory.engines().count == 1)
        }

        @Test func whatAThreadsOtherDestructorsFreeGoesBack() throws {
            let base = try HybridMemoryPool()
            let pool = try TensorMemoryPool(base)
            for order in 0..<2 {
                // A key made before or after the registry's: destructors run in the order of the keys, most often.
                var key = pthread_key_t()
                let failed = unsafe pthread_key_create(&key) { argument in
                    #if canImport(Darwin)
                    unsafe Unmanaged<Owned>.fromOpaque(argument).release()
                    #else
                    unsafe Unmanaged<Owned>.fromOpaque(argument!).release()
                    #endif
                }
                try #require(failed == 0)
                let made = key
                onAnotherThread {
                    guard let first = try? pool.own(1000), let second = try? pool.own(order == 0 ? 2000 : 100_000)
                    else { return }
                    first.fill(1)
                    unsafe pthread_setspecific(made, Unmanaged.passRetained(second).toOpaque())
                }
                pthread_key_delete(made)
                #expect(pool.statistics().liveTensors == 0)
            }
            #expect(Self.cacheCount(pool.front.engine).owned == 0)
        }
    }
}
