import Testing

@testable import TensorPool

extension PoolTests {
    /// What is a fallback's own; what it owes as an allocator is in `ConformanceSuite`.
    struct FallbackTensorAllocatorTests {
        private static func capped(_ base: HybridMemoryPool, _ byteLimit: Int) throws -> TensorMemoryPool {
            try TensorMemoryPool(base, configuration: .init(byteLimit: byteLimit))
        }

        @Test func theSecondServesWhatTheFirstHasNoRoomFor() throws {
            let base = try HybridMemoryPool()
            let (first, second) = (
                try Self.capped(base, 1 << 20), try OptimizedTensorMemoryPool(base, configuration: .bare)
            )
            let pool = FallbackTensorAllocator(first, then: second)
            var kept = [try pool.own(1 << 19), try pool.own(1 << 18)]
            #expect(pool.fallbackCount == 0 && second.statistics().allocations == 0)
            kept.append(try pool.own(1 << 19))
            let handle = try pool.allocateTensor(id: 9, byteCount: 3 << 20)
            #expect(pool.fallbackCount == 2 && second.statistics().liveTensors == 2)
            #expect(first.statistics().reservedBytes <= 1 << 20)
            let statistics = pool.statistics()
            #expect(statistics.liveTensors == 4 && statistics.liveBytes == 1 << 20 + 1 << 18 + 3 << 20)
            expectSums(statistics)
            try pool.deallocateTensor(id: 9, handle)
            kept = []
            // There is room again: the first is asked first.
            drop(try pool.allocate(byteCount: 1 << 19))
            #expect(pool.fallbackCount == 2)
            #expect(pool.trim().releasedBytes > 0 && base.reservedByteCount == 0)
        }

        /// What no allocator can serve is not tried twice, and what both refuse is the second's error.
        @Test func onlyShortageIsPassedOn() throws {
            let base = try HybridMemoryPool()
            let second = try Self.capped(base, 2 << 20)
            let pool = FallbackTensorAllocator(try Self.capped(base, 1 << 20), then: second)
            #expect(pool.refusedBuffer(0) == .invalidByteCount(0))
            #expect(pool.refusedTensor(10, device: .gpu(0)) == .unsupportedDevice(.gpu(0)))
            guard case .limitReached(let report)? = pool.refusedBuffer(3 << 20) else { throw NothingFound() }
            #expect(report.limit == 2 << 20 && report.requested == 3 << 20)
            #expect(pool.fallbackCount == 0 && base.reservedByteCount == 0)
        }

        @Test func aBaseBehindItsPoolIsCountedOnce() throws {
            let base = try HybridMemoryPool()
            let pool = FallbackTensorAllocator(try Self.capped(base, 1 << 20), then: base)
            let reversed = FallbackTensorAllocator(base, then: pool.primary)
            let kept = try (0..<4).map { _ in try pool.own(400_000) }
            #expect(pool.fallbackCount == 2)
            for statistics in [pool.statistics(), reversed.statistics()] {
                #expect(statistics.liveTensors == 4 && statistics.liveBytes == 1_600_000)
                expectSums(statistics)
            }
            withExtendedLifetime(kept) {}
        }

        @Test func fallbacksNest() throws {
            let base = try HybridMemoryPool()
            let inner = FallbackTensorAllocator(try Self.capped(base, 2 << 20), then: try HybridMemoryPool())
            let pool = FallbackTensorAllocator(try Self.capped(base, 1 << 20), then: inner)
            let handles = try (0..<8).map { try pool.allocateTensor(id: UInt64($0), byteCount: 700_000) }
            #expect(pool.fallbackCount == 7 && inner.fallbackCount == 5)
            expectSums(pool.statistics())
            for handle in handles { try pool.deallocateTensor(id: handle.tensorID, handle) }
            #expect(pool.statistics().liveTensors == 0)
            #expect(pool.refusedFree(0, handles[0]) == .freedTwice(tensorID: 0))
        }

        /// A tensor that no longer fits where it is moves to the second; a stale handle is not read from.
        @Test func tensorsGrowOutOfTheFirst() throws {
            let base = try HybridMemoryPool()
            let pool = FallbackTensorAllocator(try Self.capped(base, 1 << 20), then: base)
            let first = try pool.allocateTensor(id: 1, byteCount: 500_000)
            unsafe first.bytes.initializeMemory(as: UInt8.self, repeating: 7)
            let second = try pool.reallocateTensor(id: 1, first, byteCount: 5 << 20)
            #expect(pool.fallbackCount == 1)
            let isKept = unsafe second.bytes.prefix(500_000).allSatisfy { $0 == 7 }
            #expect(isKept)
            #expect(throws: TensorPoolError.self) { try pool.reallocateTensor(id: 1, first, byteCount: 100) }
            #expect(throws: TensorPoolError.wrongTensorID(given: 2, handle: 1)) {
                try pool.reallocateTensor(id: 2, second, byteCount: 100)
            }
            try pool.deallocateTensor(id: 1, second)
            #expect(pool.statistics().liveTensors == 0)
        }
    }
}
