import Foundation
import Jemalloc
import Testing

@testable import TensorPool

extension PoolTests {
    /// The hot path asks nobody for memory: neither jemalloc nor the Swift runtime, whose malloc it is here.
    struct HotPathTests {
        /// Bytes that the calling thread allocated while `body` ran.
        private static func allocatedBytes(_ body: () throws -> Void) throws -> UInt64 {
            let key = try ControlKey<UInt64>("thread.allocated")
            let start = try key.read()
            let none = try key.read() - start
            let before = try key.read()
            try body()
            return try key.read() - before - none
        }

        /// Nothing in release. In debug builds a handle stands on the heap on its way through a generic call, so that
        /// the guard is a weak one.
        private static func permittedBytes(pairs: Int) -> UInt64 {
            var isDebug = false
            assert(
                {
                    isDebug = true
                    return true
                }())
            return isDebug ? UInt64(64 * pairs) : 0
        }

        private static func pairs(_ pool: some TensorAllocator, _ byteCount: Int, _ count: Int) throws {
            for id in 0..<UInt64(count) {
                // Two at a time where a thread may keep two.
                let buffer = try pool.allocate(byteCount: byteCount)
                if 2 * byteCount > EngineConfiguration.optimized.spanCacheByteLimit {
                    drop(buffer)
                    let handle = try pool.allocateTensor(id: id, byteCount: byteCount)
                    try pool.deallocateTensor(id: id, handle)
                    continue
                }
                let handle = try pool.allocateTensor(id: id, byteCount: byteCount)
                try pool.deallocateTensor(id: id, handle)
                drop(buffer)
            }
        }

        /// A record that holds no wide description is not taken for one, and is, once its chunk has them.
        @Test(arguments: [1024, 20_000, 2 << 20]) func aWideIdIsServedOnceItsChunkHasPlace(byteCount: Int) throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let engine = pool.front.engine
            let kind = EngineFront.kind(byteCount, smallCeiling: engine.smallCeiling)
            func take(_ id: UInt64) -> HotPath.Tensor? {
                kind.hasOwnBin
                    ? unsafe HotPath.popTensor(engine: engine.number, kind: kind, byteCount: byteCount, id: id)
                    : unsafe HotPath.popSharedTensor(engine: engine.number, byteCount: byteCount, id: id)
            }
            for _ in 0..<2 {
                try pool.deallocateTensor(id: 1, pool.allocateTensor(id: 1, byteCount: byteCount))
            }
            #expect(unsafe take(1 << 32) == nil)
            #expect(pool.statistics().liveTensors == 0, "nothing was taken")
            for id in [3, UInt64.max, 1 << 32] {
                if id > 3 { try pool.deallocateTensor(id: id, pool.allocateTensor(id: id, byteCount: byteCount)) }
                let tensor = unsafe try #require(unsafe take(id))
                #expect(pool.liveTensors().map(\.id) == [id] && pool.liveTensors().map(\.byteCount) == [byteCount])
                let handle = unsafe MemoryHandle(
                    tensor, byteCount: byteCount, tensorID: id, serial: engine.serial, kind: kind)
                try pool.deallocateTensor(id: id, handle)
            }
            #expect(pool.statistics().liveTensors == 0)
        }

        @Test(arguments: [64, 4096, 14_336, 20_000, 32_768, 100_000, 1 << 20, 2 << 20])
        func aHotPairAllocatesNothing(byteCount: Int) throws {
            let base = try HybridMemoryPool()
            let optimized = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let standard = try TensorMemoryPool(base)
            let count = 100_000
            try Self.pairs(optimized, byteCount, 3000)
            let limit = Self.permittedBytes(pairs: count)
            var bytes = try Self.allocatedBytes { try Self.pairs(optimized, byteCount, count) }
            #expect(bytes <= limit)
            #expect(optimized.statistics().cacheHits > 2 * count)
            if byteCount <= 32 << 10 {
                try Self.pairs(standard, byteCount, 3000)
                bytes = try Self.allocatedBytes { try Self.pairs(standard, byteCount, count) }
                #expect(bytes <= limit)
                #expect(standard.statistics().cacheHits > 2 * count)
            }
        }

        @Test func oneHugeTensorStaysInTheCache() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            for byteCount in [5 << 20, 64 << 20, 300 << 20] {
                for _ in 0..<3 { _ = try pool.own(byteCount) }
                let before = pool.statistics()
                for _ in 0..<100 { _ = try pool.own(byteCount) }
                #expect(pool.statistics().cacheHits == before.cacheHits + 100)
                #expect(pool.statistics().reservedBytes == before.reservedBytes)
            }
        }

        @Test func zeroingFillsAndOnlyFillsWhatWasAsked() {
            let room = 5 << 20
            let memory = UnsafeMutableRawPointer.allocate(byteCount: room + 128, alignment: 64)
            defer { unsafe memory.deallocate() }
            for isVectorized in [false, true] {
                for byteCount in [
                    1, 63, 64, 65, 127, 128, 4097, 1 << 20, Filling.streamingByteCount - 1, 4 << 20, room - 3,
                ] {
                    for value in [UInt8(0), 0xA5] {
                        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0x77, count: byteCount + 64)
                        unsafe Filling.fill(memory, with: value, byteCount: byteCount, vectorized: isVectorized)
                        let isFilled =
                            unsafe memory.load(as: UInt8.self) == value
                            && memcmp(memory, memory + 1, byteCount - 1) == 0
                        let rest = unsafe UnsafeRawBufferPointer(start: memory + byteCount, count: 64)
                        let isKept = unsafe rest.allSatisfy { $0 == 0x77 }
                        #expect(isFilled && isKept, "\(byteCount) bytes, vectorized \(isVectorized)")
                    }
                }
            }
        }
    }
}
