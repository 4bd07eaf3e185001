import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    /// What every pool promises beside what every allocator does (`ConformanceSuite`).
    struct PoolConformanceTests {
        @Test(arguments: PoolCase.all)
        func badHandlesAreRefusedAndChangeNothing(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try pool.make(base)
            let other = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let elsewhere = try TensorMemoryPool(try HybridMemoryPool())
            func check(_ pool: some TensorAllocator) throws {
                for (byteCount, isWeight) in [(100, false), (30_000, false), (1 << 20, false), (5000, true)] {
                    func tensor(_ id: UInt64) throws -> MemoryHandle {
                        try pool.allocateTensor(
                            id: id, byteCount: byteCount, device: .cpu, isModelWeight: isWeight, isTemporary: false)
                    }
                    let freed = try tensor(1)
                    try pool.deallocateTensor(id: 1, freed)
                    let foreign = try elsewhere.allocateTensor(id: 2, byteCount: byteCount)
                    let neighbour = try other.allocateTensor(id: 2, byteCount: byteCount)
                    var before = pool.statistics()
                    #expect(pool.refusedFree(1, freed) == .freedTwice(tensorID: 1))
                    #expect(pool.refusedFree(2, foreign) == .foreignHandle(tensorID: 2))
                    #expect(other.refusedFree(1, freed) == .foreignHandle(tensorID: 1))
                    if pool is HybridMemoryPool {
                        // The base frees the handles of all its pools, but of its own pools only.
                        #expect(pool.refusedFree(3, neighbour) == .wrongTensorID(given: 3, handle: 2))
                    } else {
                        #expect(pool.refusedFree(2, neighbour) == .foreignHandle(tensorID: 2))
                    }
                    #expect(pool.statistics() == before)

                    // The record is another tensor's by now.
                    var live: [MemoryHandle] = []
                    while !live.contains(where: { unsafe $0.record == freed.record }), live.count < 1000 {
                        live.append(try tensor(1))
                        unsafe Fixtures.fill(live[live.count - 1].bytes, UInt64(live.count))
                    }
                    before = pool.statistics()
                    #expect(pool.refusedFree(1, freed) == .staleHandle(tensorID: 1))
                    #expect(pool.refusedFree(9, live[0]) == .wrongTensorID(given: 9, handle: 1))
                    #expect(pool.refusedFree(9, freed) == .wrongTensorID(given: 9, handle: 1))
                    #expect(pool.statistics() == before)
                    for (place, handle) in live.enumerated() {
                        #expect(unsafe Fixtures.holds(handle.bytes, UInt64(place + 1)))
                        try pool.deallocateTensor(id: 1, handle)
                    }
                    for handle in live { #expect(pool.refusedFree(1, handle) == .freedTwice(tensorID: 1)) }
                    try elsewhere.deallocateTensor(id: 2, foreign)
                    try base.deallocateTensor(id: 2, neighbour)
                    #expect(base.refusedFree(2, neighbour) == .freedTwice(tensorID: 2))
                    #expect(pool.statistics().liveBytes == 0 && pool.statistics().liveTensors == 0)
                }
            }
            try check(pool)
            expectSums(base.statistics())
        }

        @Test(arguments: PoolCase.all)
        func figuresAddUpAtEveryStep(_ kind: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try kind.make(base)
            func check(_ pool: some TensorAllocator) throws {
                var random = SeededRandom(7)
                var live: [Owned] = []
                var bytes = 0
                var peak = 0
                var allocations = 0
                for step in 0..<600 {
                    if random.below(2) == 0 || live.isEmpty {
                        let role = TensorRole.allCases[random.below(3)]
                        live.append(
                            try pool.own(1 + random.below(1 << (1 + random.below(22))), TensorTraits(role: role)))
                        allocations += 1
                        bytes += live[live.count - 1].byteCount
                        peak = max(peak, bytes)
                    } else {
                        let place = random.below(live.count)
                        bytes -= live[place].byteCount
                        live.remove(at: place)
                    }
                    if step % 150 == 149 { pool.trim() }
                    let statistics = pool.statistics()
                    expectSums(statistics)
                    #expect(statistics.liveBytes == bytes && statistics.liveTensors == live.count)
                    #expect(statistics.allocations == allocations)
                    let isExact = statistics.peakLiveBytes == peak
                    #expect(isExact || (kind.engines > 1 && statistics.peakLiveBytes > peak))
                    #expect(base.statistics().reservedBytes == base.reservedByteCount)
                }
                live = []
                #expect(pool.statistics().liveBytes == 0 && pool.statistics().paddingBytes == 0)
            }
            try check(pool)
        }

        @Test(arguments: PoolCase.all)
        func trimGivesBackWhatNothingUses(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let atFirst = try #require(SystemMemory.residentByteCount())
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) throws {
                let kept = try [100, 5000, 40_000, 3 << 20].map { try pool.own($0) }
                for tensor in kept { tensor.fill(3) }
                var many: [Owned] = []
                for byteCount in [3000, 14_000, 100_000, 1 << 20, 4 << 20] {
                    for _ in 0..<(16 << 20) / byteCount { many.append(try pool.own(byteCount)) }
                }
                for tensor in many { tensor.dirty() }
                // 80 MiB are dirty.
                #expect(try #require(SystemMemory.residentByteCount()) > atFirst + 60 << 20)
                many = []
                let before = pool.statistics()
                let result = pool.trim()
                let after = pool.statistics()
                #expect(after.cachedBytes == 0 && after.prewarmedBytes == 0)
                #expect(after.reservedBytes == after.liveBytes + after.paddingBytes)
                #expect(after.liveBytes == before.liveBytes && after.paddingBytes == before.paddingBytes)
                #expect(result.releasedBytes == before.reservedBytes - after.reservedBytes)
                #expect(try #require(result.residentBytesAfter) < atFirst + 16 << 20)
                if after.reservedBytes < before.reservedBytes - 32 << 20 {
                    #expect(try #require(result.residentBytesReturned) > 24 << 20)
                }
                #expect(kept.allSatisfy { $0.holds(3) })
                #expect(pool.trim().releasedBytes == 0)
                withExtendedLifetime(kept) {}
            }
            try check(pool)
            pool.trim()
            #expect(base.statistics().reservedBytes == 0)
            #expect(base.reservedByteCount == 0)
        }

        @Test(arguments: PoolCase.all.dropFirst())
        func aDroppedPoolGivesEverythingBack(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            for _ in 0..<2 {
                var kept: [Owned] = []
                var handles: [MemoryHandle] = []
                do {
                    let pool = try pool.make(base)
                    for byteCount in ConformanceTests.sizes.prefix(26) {
                        for role in TensorRole.allCases {
                            kept.append(try pool.own(byteCount, TensorTraits(role: role)))
                            _ = try pool.own(byteCount, TensorTraits(role: role))
                        }
                        handles.append(try pool.allocateTensor(id: 5, byteCount: byteCount))
                    }
                }
                // The pool is gone, its tensors are not.
                for buffer in kept { buffer.fill(9) }
                for handle in handles { unsafe Fixtures.fill(handle.bytes, 8) }
                #expect(kept.allSatisfy { $0.holds(9) })
                let statistics = base.statistics()
                expectSums(statistics)
                #expect(statistics.liveTensors == kept.count + handles.count)
                #expect(base.memory.engines().count == 1 + pool.engines)
                // Freed by this thread and by others, in any order.
                let moved = Box(Array(kept.prefix(kept.count / 2)))
                kept.removeFirst(moved.value.count)
                onAnotherThread { moved.value = [] }
                #expect(base.refusedFree(4, handles[0]) == .wrongTensorID(given: 4, handle: 5))
                for handle in handles.dropFirst() { try base.deallocateTensor(id: 5, handle) }
                kept = []
                #expect(base.statistics().liveTensors == 1)
                base.trim()
                #expect(base.statistics().cachedBytes == 0)
                expectSums(base.statistics())
                let last = handles[0]
                onAnotherThread { try? base.deallocateTensor(id: 5, last) }
                #expect(base.refusedFree(5, last) == .foreignHandle(tensorID: 5), "its pool is gone")
            }
            #expect(base.reservedByteCount == 0)
            #expect(base.memory.engines().count == 1, "the engine went with its last block")
        }
    }
}

/// A value that one thread at a time may change.
final class Box<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
