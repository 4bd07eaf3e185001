import Testing

@testable import TensorPool

extension PoolTests {
    @Suite struct LifecycleTests {
        @Test func liveTensorsAreListedById() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool())
            let small = try pool.allocateTensor(id: 10, byteCount: 100)
            let large = try pool.allocateTensor(id: 20, byteCount: 3 << 20)
            let weight = try pool.allocateTensor(
                id: 30, byteCount: 500, device: .cpu, isModelWeight: true, isTemporary: false)
            #expect(pool.liveTensors().map(\.id) == [20, 30, 10], "largest first")
            #expect(pool.liveTensors(id: 30).map(\.byteCount) == [500])
            #expect(pool.liveTensors(id: 40).isEmpty)
            try pool.deallocateTensor(id: 20, large)
            #expect(pool.liveTensors().map(\.id) == [30, 10])
            try pool.deallocateTensor(id: 10, small)
            try pool.deallocateTensor(id: 30, weight)
            #expect(pool.liveTensors().isEmpty)
        }

        /// Ids of more than 32 bits stand apart from their records, on every path.
        @Test(arguments: [100, 1024, 100_000, 3 << 20, 20 << 20])
        func idsOfAnyWidthAreListed(byteCount: Int) throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let ids: [UInt64] = [0, 1 << 32 - 1, 1 << 32, UInt64.max, 0x5555_5555_5555_5555]
            for round in 0..<3 {
                let handles = try ids.map { try pool.allocateTensor(id: $0, byteCount: byteCount) }
                let live = pool.liveTensors()
                #expect(live.map(\.id) == ids.sorted(by: >) && live.allSatisfy { $0.byteCount == byteCount })
                for handle in handles.dropFirst(round) {
                    let grown = try pool.reallocateTensor(id: handle.tensorID, handle, byteCount: byteCount + 1)
                    #expect(pool.liveTensors(id: handle.tensorID).map(\.byteCount) == [byteCount + 1])
                    try pool.deallocateTensor(id: handle.tensorID, grown)
                }
                for handle in handles.prefix(round) { try pool.deallocateTensor(id: handle.tensorID, handle) }
                #expect(pool.liveTensors().isEmpty)
            }
        }

        @Test(arguments: [7, 7 << 40] as [UInt64])
        func aWeightIsListedAsWhatItWas(id: UInt64) throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let weight = try pool.makeWeight(id: id, pool.allocateTensor(id: id, byteCount: 300_000)).handle
            #expect(pool.liveTensors().map(\.id) == [id] && pool.liveTensors().map(\.byteCount) == [300_000])
            try pool.deallocateTensor(id: id, weight)
        }

        /// Untouched, but for what the pool makes resident of its own accord.
        @Test func aTensorOf4GiBIsListed() throws {
            let pool = try TensorMemoryPool(HybridMemoryPool())
            let byteCount = 4 << 30
            for other in [byteCount - 1, byteCount + 1] {
                let handle = try pool.allocateTensor(id: 5, byteCount: byteCount)
                #expect(pool.liveTensors().map(\.byteCount) == [byteCount])
                try pool.deallocateTensor(id: 5, handle)
                let next = try pool.allocateTensor(id: 6, byteCount: other)
                #expect(pool.liveTensors().map(\.byteCount) == [other] && pool.liveTensors().map(\.id) == [6])
                try pool.deallocateTensor(id: 6, next)
            }
        }

        @Test func staleTensorsAreThoseNotSeenInUse() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let used = try pool.allocateTensor(id: 1, byteCount: 1000)
            let idle = try pool.allocateTensor(id: 2, byteCount: 1000)
            #expect(pool.staleTensors(idleFor: .seconds(1800)).isEmpty, "nothing is old at the first look")
            // An hour goes by.
            pool.front.engine.withState { state in
                unsafe state.sightings = state.sightings.mapValues {
                    Sighting(state: $0.state, nanoseconds: $0.nanoseconds - 3_600_000_000_000)
                }
            }
            #expect(Set(pool.staleTensors(idleFor: .seconds(1800)).map(\.id)) == [1, 2])
            try pool.recordAccess(id: 1, used)
            #expect(pool.staleTensors(idleFor: .seconds(1800)).map(\.id) == [2])
            #expect(pool.statistics().liveTensors == 2, "nothing was freed")
            // A new tensor in the same block is another one.
            try pool.deallocateTensor(id: 2, idle)
            let next = try pool.allocateTensor(id: 3, byteCount: 1000)
            #expect(pool.staleTensors(idleFor: .seconds(1800)).isEmpty)
            try pool.deallocateTensor(id: 1, used)
            try pool.deallocateTensor(id: 3, next)
        }

        @Test func accessToWhatIsNotLiveIsRefused() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let other = try TensorMemoryPool(HybridMemoryPool())
            let handle = try pool.allocateTensor(id: 1, byteCount: 1000)
            let foreign = try other.allocateTensor(id: 1, byteCount: 1000)
            #expect(
                refusal { () throws(TensorPoolError) in try pool.recordAccess(id: 2, handle) }
                    == .wrongTensorID(given: 2, handle: 1))
            #expect(
                refusal { () throws(TensorPoolError) in try pool.recordAccess(id: 1, foreign) }
                    == .foreignHandle(tensorID: 1))
            try pool.deallocateTensor(id: 1, handle)
            #expect(
                refusal { () throws(TensorPoolError) in try pool.recordAccess(id: 1, handle) }
                    == .freedTwice(tensorID: 1))
            try other.deallocateTensor(id: 1, foreign)
        }
    }
}
