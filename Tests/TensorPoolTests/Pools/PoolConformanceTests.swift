import Testing

@testable import TensorPool

extension PoolTests {
    /// What every pool promises, on every kind of pool.
    struct PoolConformanceTests {
        static let sizes = [
            1, 2, 63, 64, 65, 256, 257, 4095, 4096, 4097, 14_335, 14_336, 14_337, 16_384, 16_385, 32_767, 32_768,
            32_769,
            65_536, 65_537, 1_000_000, 1 << 20, 1 << 20 + 1, 3_000_001, 16 << 20, 16 << 20 + 1,
        ]

        @Test(arguments: PoolCase.all)
        func everyAlignmentIsKept(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) throws {
                for role in TensorRole.allCases {
                    for shift in [0, 3, 6, 7, 9, 12, 13, 14, 15, 18, 21] {
                        var live: [Owned] = []
                        for byteCount in [1, 100, 4096, 5000, 14_000, 20_000, 40_000, 100_000, 1 << 20, 3_000_001] {
                            for isZeroed in [false, true] {
                                let tensor = try pool.own(
                                    byteCount, alignment: 1 << shift, zeroed: isZeroed, TensorTraits(role: role))
                                #expect(tensor.address % UInt(max(64, 1 << shift)) == 0, "\(byteCount) at 2^\(shift)")
                                #expect(tensor.byteCount == byteCount)
                                tensor.fill(UInt64(byteCount))
                                live.append(tensor)
                            }
                        }
                        #expect(live.allSatisfy { $0.holds(UInt64($0.byteCount)) })
                    }
                }
            }
            try check(pool)
            expectSums(pool.statistics())
            #expect(pool.statistics().liveTensors == 0)
        }

        @Test(arguments: PoolCase.all)
        func tensorsOfAllSizesLiveApart(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) throws {
                var shadow = ShadowMap()
                var buffers: [Owned] = []
                var handles: [MemoryHandle] = []
                for round in 0..<3 {
                    for byteCount in Self.sizes {
                        let buffer = try pool.own(byteCount, TensorTraits(role: round == 1 ? .temporary : .activation))
                        let isApart = shadow.insert(buffer.address, byteCount)
                        #expect(isApart)
                        buffer.fill(UInt64(byteCount + round))
                        buffers.append(buffer)
                        let handle = try pool.allocateTensor(
                            id: UInt64(byteCount), byteCount: byteCount, device: .cpu, isModelWeight: round == 2,
                            isTemporary: round == 1)
                        let address = UInt(bitPattern: unsafe handle.baseAddress)
                        let isAlone = shadow.insert(address, byteCount)
                        #expect(isAlone && address % 64 == 0)
                        #expect(handle.byteCount == byteCount && handle.tensorID == UInt64(byteCount))
                        unsafe Fixtures.fill(handle.bytes, UInt64(3 * byteCount + round))
                        handles.append(handle)
                    }
                }
                // What nothing touches may be large.
                let huge = try pool.own(256 << 20)
                let hasRoom = shadow.insert(huge.address, 256 << 20)
                #expect(hasRoom)
                let live = buffers.reduce(256 << 20) { $0 + $1.byteCount } + handles.reduce(0) { $0 + $1.byteCount }
                let statistics = pool.statistics()
                #expect(statistics.liveBytes == live && statistics.peakLiveBytes == live)
                #expect(statistics.liveTensors == buffers.count + handles.count + 1)
                expectSums(statistics)
                for (place, buffer) in buffers.enumerated() {
                    #expect(buffer.holds(UInt64(buffer.byteCount + place / Self.sizes.count)))
                }
                for (place, handle) in handles.enumerated() {
                    #expect(
                        unsafe Fixtures.holds(handle.bytes, UInt64(3 * handle.byteCount + place / Self.sizes.count)))
                    try pool.deallocateTensor(id: handle.tensorID, handle)
                }
            }
            try check(pool)
            #expect(pool.statistics().liveBytes == 0 && pool.statistics().liveTensors == 0)
            expectSums(pool.statistics())
        }

        @Test(arguments: PoolCase.all)
        func zeroedIsZero(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) throws {
                for byteCount in [1, 100, 4096, 14_337, 33_000, 70_000, 1_000_001, 5 << 20 + 77] {
                    for role in TensorRole.allCases {
                        for alignment in [1, 64, 4096, 32_768, 2 << 20] {
                            let traits = TensorTraits(role: role)
                            for _ in 0..<3 {
                                let dirty = try (0..<3).map { _ in try pool.own(byteCount, alignment: alignment, traits)
                                }
                                for tensor in dirty { tensor.dirty() }
                            }
                            for _ in 0..<2 {
                                let tensor = try pool.own(byteCount, alignment: alignment, zeroed: true, traits)
                                #expect(tensor.isZero, "\(byteCount) bytes at \(alignment), \(role)")
                                tensor.dirty()
                            }
                        }
                    }
                }
            }
            try check(pool)
            expectSums(pool.statistics())
        }

        @Test(arguments: PoolCase.all)
        func badRequestsAreRefusedAndChangeNothing(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) throws {
                let kept = try Self.sizes.prefix(20).map { try pool.own($0) }
                for byteCount in Self.sizes { _ = try pool.own(byteCount) }
                let before = pool.statistics()
                let maximum = Engine.maximumByteCount
                for byteCount in [0, -1, -64, -1 << 30, Int.min, Int.min + 1] {
                    #expect(pool.refusedBuffer(byteCount) == .invalidByteCount(byteCount))
                    #expect(pool.refusedTensor(byteCount) == .invalidByteCount(byteCount))
                }
                for byteCount in [maximum + 1, Int.max / 2, Int.max - 63, Int.max] {
                    let expected = TensorPoolError.byteCountTooLarge(byteCount: byteCount, maximum: maximum)
                    #expect(pool.refusedBuffer(byteCount) == expected)
                    #expect(pool.refusedTensor(byteCount) == expected)
                }
                for alignment in [0, -1, -64, 3, 48, 63, 65, 4 << 20, Int.max, Int.min] {
                    for byteCount in [100, 20_000, 1 << 20] {
                        #expect(
                            pool.refusedBuffer(byteCount, alignment: alignment)
                                == .invalidAlignment(alignment, maximum: 2 << 20))
                    }
                }
                for role in TensorRole.allCases {
                    #expect(
                        pool.refusedBuffer(100, TensorTraits(device: .gpu(1), role: role))
                            == .unsupportedDevice(.gpu(1)))
                }
                #expect(pool.refusedTensor(100, device: .gpu(0)) == .unsupportedDevice(.gpu(0)))
                #expect(pool.statistics() == before)
                withExtendedLifetime(kept) {}
            }
            try check(pool)
        }

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
                    for byteCount in Self.sizes {
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
