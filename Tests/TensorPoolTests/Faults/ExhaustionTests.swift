#if os(Linux)
import Testing

@testable import TensorPool

extension PoolTests {
    /// The address space ends (`RLIMIT_AS`), each time in a process of its own: a typed error, no crash, and all is well
    /// again once memory is back.
    struct ExhaustionTests {
        @Test func theBasePool() async {
            await #expect(processExitsWith: .success) { try Self.exhaust { $0 } }
        }

        @Test func theStandardPool() async {
            await #expect(processExitsWith: .success) { try Self.exhaust { try TensorMemoryPool($0) } }
        }

        @Test func theOptimizedPool() async {
            await #expect(processExitsWith: .success) {
                try Self.exhaust { try OptimizedTensorMemoryPool($0, configuration: .bare) }
            }
        }

        @Test func theAdaptivePool() async {
            await #expect(processExitsWith: .success) { try Self.exhaust { try AdaptiveTensorMemoryPool($0) } }
        }

        @Test func weights() async {
            await #expect(processExitsWith: .success) {
                try Self.exhaust(isModelWeight: true) { try AdaptiveTensorMemoryPool($0) }
            }
        }

        /// A pool that would be prewarmed is not made, and leaves nothing behind.
        @Test func prewarming() async {
            await #expect(processExitsWith: .success) {
                let base = try HybridMemoryPool()
                var configuration = OptimizedTensorPoolConfig.bare
                configuration.enablePrewarming = true
                configuration.prewarming = .init(medium: 0, large: 512 << 20)
                let limit = try AddressSpaceLimit(headroom: Self.headroom)
                let failure = refusal { () throws(TensorPoolError) in
                    _ = try OptimizedTensorMemoryPool(base, configuration: configuration)
                }
                try limit.lift()
                #expect(failure == .outOfMemory(byteCount: 512 << 20))
                #expect(base.reservedByteCount == 0)
            }
        }

        private static let headroom = 96 << 20

        private static func exhaust(
            isModelWeight: Bool = false, _ makePool: (HybridMemoryPool) throws -> any TensorAllocator
        ) throws {
            let base = try HybridMemoryPool()
            do {
                let pool = try makePool(base)
                for byteCount in [20 << 20, 3 << 20, 300_000, 40_000, 3000] {
                    try exhaust(pool, byteCount, isModelWeight)
                    expectSums(pool.statistics())
                    #expect(pool.statistics().liveTensors == 0)
                    pool.trim()
                }
            }
            #expect(base.reservedByteCount == 0)
        }

        /// Allocates until the system refuses, frees, and allocates again.
        private static func exhaust(_ pool: any TensorAllocator, _ byteCount: Int, _ isModelWeight: Bool) throws {
            var handles: [MemoryHandle] = []
            // Nothing of the test's own is allocated while there is no memory: Swift stops the program then.
            // What earlier sizes took of the address space is still jemalloc's, and comes on top.
            handles.reserveCapacity(10 * headroom / byteCount + 16)
            var firstCount = 0
            var failures: (TensorPoolError?, TensorPoolError?, TensorPoolError?) = (nil, nil, nil)
            let limit = try AddressSpaceLimit(headroom: headroom)

            failures.0 = fill(pool, byteCount, isModelWeight, &handles)
            firstCount = handles.count
            // Asked again, the answer is the same, and what is there stays usable.
            failures.1 = fill(pool, byteCount, isModelWeight, &handles)
            for index in stride(from: handles.count - 1, through: 0, by: -2) {
                try pool.deallocateTensor(id: UInt64(index), handles[index])
            }
            // What was freed is there for others, while the system still refuses.
            let freed = (handles.count + 1) / 2
            var index = handles.count - 1
            var refilled = 0
            while index >= 0 {
                let id = UInt64(index)
                do throws(TensorPoolError) {
                    handles[index] = try pool.allocateTensor(
                        id: id, byteCount: byteCount, device: .cpu, isModelWeight: isModelWeight, isTemporary: false)
                    refilled += 1
                } catch {
                    failures.2 = error
                    break
                }
                index -= 2
            }
            try limit.lift()
            #expect(firstCount > 0 && firstCount < handles.capacity, "\(firstCount) of \(byteCount) bytes")
            #expect(failures.0 == .outOfMemory(byteCount: byteCount))
            #expect(failures.1 == .outOfMemory(byteCount: byteCount))
            // Weights' places come back with their whole chunk.
            if !isModelWeight {
                #expect(refilled == freed, "\(byteCount) bytes, then \(String(describing: failures.2))")
            }
            // Memory is back.
            while index >= 0 {
                handles[index] = try pool.allocateTensor(
                    id: UInt64(index), byteCount: byteCount, device: .cpu, isModelWeight: isModelWeight,
                    isTemporary: false)
                index -= 2
            }
            handles.append(
                try pool.allocateTensor(
                    id: UInt64(handles.count), byteCount: byteCount, device: .cpu, isModelWeight: isModelWeight,
                    isTemporary: false))
            for (index, handle) in handles.enumerated() {
                try pool.deallocateTensor(id: UInt64(index), handle)
            }
        }

        /// Allocates until an error, which it returns, or the array is full. Writes to each tensor.
        private static func fill(
            _ pool: any TensorAllocator, _ byteCount: Int, _ isModelWeight: Bool, _ handles: inout [MemoryHandle]
        ) -> TensorPoolError? {
            while handles.count < handles.capacity {
                do throws(TensorPoolError) {
                    let handle = try pool.allocateTensor(
                        id: UInt64(handles.count), byteCount: byteCount, device: .cpu, isModelWeight: isModelWeight,
                        isTemporary: false)
                    unsafe handle.baseAddress.storeBytes(of: UInt8(truncatingIfNeeded: handles.count), as: UInt8.self)
                    handles.append(handle)
                } catch {
                    return error
                }
            }
            return nil
        }
    }
}
#endif
