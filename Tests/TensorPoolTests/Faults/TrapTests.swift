import CThreadSlot
import Testing

@testable import TensorPool

/// What stops the program by design: a broken rule of the package's own. Documentation/Testing.md lists all of them.
struct TrapTests {
    @Test func noMemoryForGranules() async {
        await #expect(processExitsWith: .failure) { _ = FreeRuns(capacity: 1 << 58) }
    }

    @Test(.enabled(if: tensorpool_can_bias)) func aBiasEndedByItsHolder() async {
        await #expect(processExitsWith: .failure) {
            let base = try HybridMemoryPool()
            let cache = unsafe try found(ThreadCachePointer.make(ordinal: 0, engine: base.memory.engines()[0]))
            let lock = EngineLock()
            unsafe lock.unlock(cache, isBiased: lock.lock(cache))
            guard unsafe lock.lock(cache) else { return }
            unsafe lock.forget(cache)
        }
    }

    @Test func aBinClosedWithABlockInIt() async {
        await #expect(processExitsWith: .failure) {
            let memory = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: 5)
            var bin = unsafe CacheBin(entries: memory + 1, capacity: 4, granules: 0)
            unsafe bin.limit = 2
            guard unsafe bin.pushNewest(UnsafeMutableRawPointer(memory)) else { return }
            unsafe bin.limit = 0
        }
    }

    @Test func aBlockOfNoEngine() async {
        await #expect(processExitsWith: .failure) { _ = unsafe EngineRegistry.engine(1000) }
    }

    @Test func aBlockOfNoPlan() async {
        await #expect(processExitsWith: .failure) { PlanRegistry.free(4095 << 16) }
    }

    @Test func aWeightOfNoChunk() async {
        await #expect(processExitsWith: .failure) {
            var store = WeightStore()
            _ = unsafe store.remove(UnsafeMutableRawPointer(bitPattern: 4096)!, byteCount: 64)
        }
    }

    @Test func aSlabInUseRemoved() async {
        await #expect(processExitsWith: .failure) {
            let size = SystemMemory.hugePageByteCount
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: size)
            var heap = SpanHeap()
            unsafe heap.add(memory, byteCount: size)
            heap.take(try found(heap.fit(1, alignment: 64)))
            _ = heap.remove(slab: 0)
        }
    }
}
