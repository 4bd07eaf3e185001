#if os(Linux)
import Foundation
import Glibc
import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    /// Read-only weights, and weights locked in memory.
    struct WeightProtectionTests {
        private static func weight(_ pool: some TensorAllocator, _ byteCount: Int) throws -> MemoryHandle {
            let handle = try pool.allocateTensor(
                id: 1, byteCount: byteCount, device: .cpu, isModelWeight: true, isTemporary: false)
            unsafe Fixtures.fill(handle.bytes, 6)
            return handle
        }

        @Test func frozenWeightsAreReadAndFreed() throws {
            let base = try HybridMemoryPool()
            let pool = try AdaptiveTensorMemoryPool.bare(base)
            let weights = try [100, 5000, 3 << 20].map { try Self.weight(pool, $0) }
            let span = try pool.allocateTensor(id: 9, byteCount: 2 << 20)
            let promoted = try pool.makeWeight(id: 9, span)
            #expect(!promoted.isCopied)
            let frozen = try pool.freezeWeights()
            #expect(frozen >= 5 << 20 && frozen <= 5 << 20 + 5100 + 4096)
            #expect(try pool.freezeWeights() == frozen)
            for weight in weights { #expect(unsafe Fixtures.holds(weight.bytes, 6)) }
            // Weights of later can be written to.
            let later = try Self.weight(pool, 7000)
            #expect(try pool.freezeWeights() > frozen)
            for weight in weights { try pool.deallocateTensor(id: 1, weight) }
            try pool.deallocateTensor(id: 9, promoted.handle)
            try pool.deallocateTensor(id: 1, later)
            #expect(base.statistics().liveTensors == 0)
            expectSums(base.statistics())
            // What went back is writable.
            let tensors = try (0..<40).map { _ in try pool.own(1 << 20) }
            for tensor in tensors { tensor.dirty() }
            drop(try pool.allocate(byteCount: 3 << 20, zeroed: true, traits: TensorTraits(role: .weight)))
        }

        @Test func aWriteToAFrozenWeightFails() async {
            await #expect(processExitsWith: .signal(SIGSEGV)) {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let weight = try Self.weight(pool, 100)
                try pool.freezeWeights()
                unsafe weight.baseAddress.storeBytes(of: 1, as: UInt8.self)
            }
        }

        @Test func aWriteToAFrozenSpanFails() async {
            await #expect(processExitsWith: .signal(SIGSEGV)) {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let weight = try pool.makeWeight(id: 1, pool.allocateTensor(id: 1, byteCount: 100_000))
                try base.freezeWeights()
                unsafe weight.handle.baseAddress.storeBytes(of: 1, as: UInt8.self)
            }
        }

        @Test func thawedWeightsAreWritable() throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let weight = try Self.weight(pool, 100_000)
            try pool.freezeWeights()
            pool.thawWeights()
            unsafe Fixtures.fill(weight.bytes, 7)
            #expect(unsafe Fixtures.holds(weight.bytes, 7))
            try pool.deallocateTensor(id: 1, weight)
        }

        @Test func frozenWeightsAreScrubbed() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.scrubOnFree = true
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            let neighbour = try Self.weight(pool, 3000)
            let weight = try Self.weight(pool, 3000)
            let buffer = try pool.allocate(byteCount: 5000, traits: TensorTraits(role: .weight))
            try pool.freezeWeights()
            try pool.deallocateTensor(id: 1, weight)
            #expect(unsafe Fixtures.isZero(weight.bytes))
            #expect(unsafe Fixtures.holds(neighbour.bytes, 6))
            drop(buffer)
            try pool.deallocateTensor(id: 1, neighbour)
            #expect(pool.statistics().liveTensors == 0)
        }

        /// In a process that may lock little.
        @Test func weightsAreLockedAsFarAsTheSystemLets() async {
            await #expect(processExitsWith: .success) {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
                let weight = try Self.weight(pool, 20_000)
                var limit = rlimit(rlim_cur: 64 << 10, rlim_max: 64 << 10)
                let isLimited = unsafe setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0
                // Privileges would lift the limit.
                try #require(isLimited && (getuid() != 0 || setuid(65_534) == 0))
                #expect(try pool.lockWeights() == 20_480)
                #expect(try Self.lockedKibibytes() == 20)
                let large = try Self.weight(pool, 200_000)
                let failure = refusal { () throws(TensorPoolError) in try pool.lockWeights() }
                #expect(
                    failure == .memoryLockRefused(byteCount: SystemMemory.wholePages(220_032), limit: 64 << 10),
                    "\(String(describing: failure))")
                #expect(try Self.lockedKibibytes() == 20)
                try pool.deallocateTensor(id: 1, large)
                pool.unlockWeights()
                #expect(try Self.lockedKibibytes() == 0)
                try pool.lockWeights()
                try pool.deallocateTensor(id: 1, weight)
                #expect(try Self.lockedKibibytes() == 0)
            }
        }

        private static func lockedKibibytes() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try found(status.split(separator: "\n").first { $0.hasPrefix("VmLck:") })
            return try found(Int(line.split(separator: " ")[1].filter(\.isNumber)))
        }
    }
}
#endif
