import CThreadSlot
import Testing

@testable import TensorPool

/// What stops the program by design: a broken rule of the package's own. Documentation/Testing.md lists all of them.
struct TrapTests {
    @Test func noMemoryForGranules() async {
        expectMessage(
            "no memory for the bookkeeping of 288230376151711744 granules",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = FreeRuns(capacity: 1 << 58)
            })
    }

    @Test(.enabled(if: tensorpool_can_bias)) func aBiasEndedByItsHolder() async {
        expectMessage(
            "the lock is held by the bias to end",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let base = try HybridMemoryPool()
                let cache = unsafe try found(ThreadCachePointer.make(ordinal: 0, engine: base.memory.engines()[0]))
                let lock = EngineLock()
                unsafe lock.unlock(cache, isBiased: lock.lock(cache))
                guard unsafe lock.lock(cache) else { return }
                unsafe lock.forget(cache)
            })
    }

    @Test func aBinClosedWithABlockInIt() async {
        expectMessage(
            "the limit of a bin that keeps a block was taken",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let memory = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: 5)
                var bin = unsafe CacheBin(entries: memory + 1, capacity: 4, granules: 0)
                unsafe bin.limit = 2
                guard unsafe bin.pushNewest(UnsafeMutableRawPointer(memory)) else { return }
                unsafe bin.limit = 0
            })
    }

    @Test func aPlaceThatAStackHasNot() async {
        expectMessage(
            "a stack of addresses has no place 0",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = unsafe AddressStack()[0]
            })
    }

    @Test func aBlockOfNoEngine() async {
        expectMessage(
            "a block of no engine",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = unsafe EngineRegistry.engine(1000)
            })
    }

    @Test func aBlockOfNoPlan() async {
        expectMessage(
            "a block of no plan",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                PlanRegistry.free(4095 << 16)
            })
    }

    @Test func aBlockOfNoObserver() async {
        expectMessage(
            "a block of no observer",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = unsafe ObserverRegistry.observer(UInt32(ObserverRegistry.capacity - 1))
            })
    }

    @Test func aWeightOfNoChunk() async {
        expectMessage(
            "a weight of no chunk",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                var store = WeightStore()
                _ = unsafe store.remove(UnsafeMutableRawPointer(bitPattern: 4096)!, byteCount: 64)
            })
    }

    @Test func aSlabInUseRemoved() async {
        expectMessage(
            "a slab in use was removed",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let size = SystemMemory.hugePageByteCount
                let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: size)
                var heap = SpanHeap()
                unsafe heap.add(memory, byteCount: size)
                heap.take(try found(heap.fit(1, alignment: 64)))
                _ = heap.remove(slab: 0)
            })
    }

    @Test func aGuardedTensorThatIsNotLive() async {
        expectMessage(
            "a guarded tensor that is not live",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let (_, base) = try WatchedPool.base.make("guard")
                unsafe base.memory.engines()[0].freeGuarded(UnsafeMutableRawPointer(bitPattern: 4096)!)
            })
    }

    @Test func aGuardedTensorOfAnEngineWithoutGuards() async {
        expectMessage(
            "a guarded tensor of an engine without guards",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let base = try HybridMemoryPool()
                unsafe base.memory.engines()[0].freeGuarded(UnsafeMutableRawPointer(bitPattern: 4096)!)
            })
    }
}
