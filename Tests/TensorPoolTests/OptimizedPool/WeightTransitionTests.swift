import PoolModel
import TensorPool
import Testing

extension PoolTests {
    @Suite struct WeightTransitionTests {
        private static func fill(_ handle: MemoryHandle, _ pattern: UInt64) {
            unsafe Fixtures.fill(handle.bytes, pattern)
        }

        @Test(arguments: [(1000, true), (14 << 10, true), (20_000, false), (3 << 20, false)])
        func spansStayWhereTheyAre(byteCount: Int, isCopied: Bool) throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let handle = try pool.allocateTensor(id: 9, byteCount: byteCount)
            Self.fill(handle, 77)
            let transition = try pool.makeWeight(id: 9, handle)
            #expect(transition.isCopied == isCopied, "\(transition.copyReason ?? "")")
            #expect((transition.copyReason != nil) == isCopied)
            unsafe #expect((transition.handle.baseAddress == handle.baseAddress) == !isCopied)
            unsafe #expect(Fixtures.holds(transition.handle.bytes, 77))
            #expect(pool.refusedFree(9, handle) != nil, "the former handle is stale")
            #expect(pool.statistics().weightAllocations == 1 && pool.statistics().liveBytes == byteCount)
            expectSums(pool.statistics())
            pool.trim()
            unsafe #expect(Fixtures.holds(transition.handle.bytes, 77), "a trim leaves weights alone")
            #expect(try pool.makeWeight(id: 9, transition.handle).handle == transition.handle, "once is enough")
            try pool.deallocateTensor(id: 9, transition.handle)
            #expect(pool.statistics().liveTensors == 0)
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        @Test func withoutZeroCopyEverythingIsCopied() throws {
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.enableZeroCopyTransitions = false
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration)
            let handle = try pool.allocateTensor(id: 9, byteCount: 3 << 20)
            Self.fill(handle, 5)
            let transition = try pool.makeWeight(id: 9, handle)
            #expect(transition.copyReason?.contains("enableZeroCopyTransitions") == true)
            unsafe #expect(Fixtures.holds(transition.handle.bytes, 5))
            try pool.deallocateTensor(id: 9, transition.handle)
        }

        @Test func theAdaptivePoolTakesTensorsOfBothStrategies() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool())
            for byteCount in [500, 200_000, 5 << 20] {
                let handle = try pool.allocateTensor(id: 4, byteCount: byteCount)
                Self.fill(handle, 11)
                let transition = try pool.makeWeight(id: 4, handle)
                unsafe #expect(Fixtures.holds(transition.handle.bytes, 11))
                #expect(pool.statistics().liveTensors == 1)
                try pool.deallocateTensor(id: 4, transition.handle)
            }
        }

        @Test func whatIsNotLiveCannotBecomeAWeight() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let handle = try pool.allocateTensor(id: 4, byteCount: 1 << 20)
            let wrong = refusal { () throws(TensorPoolError) in _ = try pool.makeWeight(id: 5, handle) }
            #expect(wrong == .wrongTensorID(given: 5, handle: 4))
            try pool.deallocateTensor(id: 4, handle)
            let freed = refusal { () throws(TensorPoolError) in _ = try pool.makeWeight(id: 4, handle) }
            #expect(freed == .freedTwice(tensorID: 4))
        }
    }
}
