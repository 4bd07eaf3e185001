#if os(Linux)
import Foundation
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
            await #expect(processExitsWith: .success) {
                try Self.exhaust(.twoStrategies) { try AdaptiveTensorMemoryPool.bare($0) }
            }
        }

        @Test func weights() async {
            await #expect(processExitsWith: .success) {
                try Self.exhaust(.weights) { try AdaptiveTensorMemoryPool.bare($0) }
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

        /// A kernel that promises no more than it has: `Scripts/check-overcommit` makes it one for this test, and bounds
        /// what the test's own user gets.
        private static let isStrict =
            ProcessInfo.processInfo.environment["TENSOR_POOL_STRICT_OVERCOMMIT"] != nil
            && (try? String(contentsOfFile: "/proc/sys/vm/overcommit_memory", encoding: .utf8)) == "2\n"

        @Test(.enabled(if: isStrict, "needs Scripts/check-overcommit"))
        func theKernelPromisesNoMore() async {
            await #expect(processExitsWith: .success) {
                try Self.exhaustPromises { $0 }
                try Self.exhaustPromises { try TensorMemoryPool($0) }
                try Self.exhaustPromises { try OptimizedTensorMemoryPool($0, configuration: .bare) }
                try Self.exhaustPromises { try AdaptiveTensorMemoryPool.bare($0) }
                try Self.exhaustPromises { try TensorMemoryPool($0, configuration: .watched("pages=1/1")) }
            }
        }

        /// Allocates until the kernel promises no more, frees, and allocates again.
        private static func exhaustPromises(_ makePool: (HybridMemoryPool) throws -> any TensorAllocator) throws {
            let base = try HybridMemoryPool()
            do {
                let pool = try makePool(base)
                // Nothing of the test's own is allocated while there is no memory: Swift stops the program then.
                var handles: [MemoryHandle] = []
                handles.reserveCapacity(1 << 21)
                for byteCount in [64 << 20, 3 << 20, 300_000, 40_000] {
                    // More than is there at once, and bit by bit.
                    let whole = refusal { () throws(TensorPoolError) in
                        _ = try pool.allocateTensor(id: 0, byteCount: 1 << 40)
                    }
                    handles.removeAll(keepingCapacity: true)
                    let first = fill(pool, byteCount, false, &handles)
                    let count = handles.count
                    let again = fill(pool, byteCount, false, &handles)
                    let places = stride(from: 0, to: handles.count, by: 2)
                    for index in places { try pool.deallocateTensor(id: UInt64(index), handles[index]) }
                    let next = refusal { () throws(TensorPoolError) in
                        handles[0] = try pool.allocateTensor(id: 0, byteCount: byteCount)
                    }
                    if next == nil { try pool.deallocateTensor(id: 0, handles[0]) }
                    for index in 0..<handles.count where index % 2 == 1 {
                        try pool.deallocateTensor(id: UInt64(index), handles[index])
                    }
                    pool.trim()
                    #expect(whole == .outOfMemory(byteCount: 1 << 40))
                    #expect(first == .outOfMemory(byteCount: byteCount) && again == first && next == nil)
                    #expect(count > 0 && count < handles.capacity, "\(count) of \(byteCount) bytes")
                    expectSums(pool.statistics())
                    #expect(pool.statistics().liveTensors == 0)
                }
            }
            #expect(base.reservedByteCount == 0)
        }

        private static let headroom = 64 << 20

        private enum Kind {
            case tensors
            /// The next tensor of a size may come from arenas that the one before did not go back to.
            case twoStrategies
            /// Places come back with their whole chunk.
            case weights
        }

        private static func exhaust(
            _ kind: Kind = .tensors, _ makePool: (HybridMemoryPool) throws -> any TensorAllocator
        ) throws {
            let base = try HybridMemoryPool()
            do {
                let pool = try makePool(base)
                // A free looks for the weight's chunk: tens of thousands of small ones would take seconds.
                for byteCount in [20 << 20, 3 << 20, 300_000, 40_000, 3000].prefix(kind == .weights ? 4 : 5) {
                    try exhaust(pool, byteCount, kind)
                    expectSums(pool.statistics())
                    #expect(pool.statistics().liveTensors == 0)
                    pool.trim()
                }
            }
            #expect(base.reservedByteCount == 0)
        }

        /// Allocates until the system refuses, frees, and allocates again.
        private static func exhaust(_ pool: any TensorAllocator, _ byteCount: Int, _ kind: Kind) throws {
            let isModelWeight = kind == .weights
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
            // What was freed is there for others, while the system still refuses.
            var refilled = 0
            let places = stride(from: handles.count - 1, through: 0, by: -2)
            if kind == .tensors {
                for index in places { try pool.deallocateTensor(id: UInt64(index), handles[index]) }
                for index in places {
                    do throws(TensorPoolError) {
                        handles[index] = try pool.allocateTensor(id: UInt64(index), byteCount: byteCount)
                        refilled += 1
                    } catch {
                        failures.2 = error
                        break
                    }
                }
            }

            try limit.lift()
            #expect(firstCount > 0 && firstCount < handles.capacity, "\(firstCount) of \(byteCount) bytes")
            #expect(failures.0 == .outOfMemory(byteCount: byteCount))
            #expect(failures.1 == .outOfMemory(byteCount: byteCount))
            #expect(failures.2 == nil)
            if kind == .tensors { try #require(refilled == (handles.count + 1) / 2) }
            // Memory is back.
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
