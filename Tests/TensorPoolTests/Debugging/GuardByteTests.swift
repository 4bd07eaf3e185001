import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    /// Writes around a tensor, and into one that was freed.
    struct GuardByteTests {
        @Test(arguments: WatchedPool.allCases, [1, 64, 100, 4096, 40_000, 3_000_001])
        func aWriteAroundAHandlesTensorIsFound(_ pool: WatchedPool, _ byteCount: Int) throws {
            let (pool, base) = try pool.make("guard")
            let findings = Findings(of: base)
            for (offset, kind) in [
                (-64, DebugFinding.Kind.writtenBefore), (-1, .writtenBefore), (byteCount, .writtenPast),
                (byteCount + 63, .writtenPast),
            ] {
                let tensor = try pool.allocateTensor(id: 42, byteCount: byteCount)
                unsafe Fixtures.fill(tensor.bytes, 5)
                unsafe tensor.baseAddress.misuse(writing: 7, at: offset)
                #expect(unsafe Fixtures.holds(tensor.bytes, 5))
                try pool.deallocateTensor(id: 42, tensor)
                let found = try #require(findings.take().first, "\(offset)")
                #expect(found.kind == kind && found.offset == offset)
                #expect(found.tensorID == 42 && found.byteCount == byteCount && found.isDamage)
            }
            let tensor = try pool.allocateTensor(id: 42, byteCount: byteCount)
            unsafe Fixtures.fill(tensor.bytes, 5)
            try pool.deallocateTensor(id: 42, tensor)
            #expect(findings.take().isEmpty)
        }

        @Test(arguments: WatchedPool.allCases)
        func aWriteAroundABufferIsFound(_ pool: WatchedPool) throws {
            let (pool, base) = try pool.make("guard")
            let findings = Findings(of: base)
            for alignment in [64, 4096, 2 << 20] {
                for offset in [-1, 1000] {
                    let buffer = try pool.allocate(
                        byteCount: 1000, alignment: alignment, zeroed: true, traits: TensorTraits(role: .weight))
                    #expect(unsafe UInt(bitPattern: buffer.baseAddress) % UInt(alignment) == 0)
                    unsafe buffer.baseAddress.misuse(writing: 7, at: offset)
                    drop(buffer)
                    let found = try #require(findings.take().first)
                    #expect(found.offset == offset && found.tensorID == nil)
                }
            }
        }

        @Test(arguments: WatchedPool.allCases)
        func aWriteAfterTheFreeIsFound(_ pool: WatchedPool) throws {
            let (pool, base) = try pool.make("fill")
            let findings = Findings(of: base)
            for byteCount in [1, 100, 5000, 70_000] {
                let tensor = try pool.allocateTensor(id: 8, byteCount: byteCount)
                #expect(unsafe tensor.bytes.allSatisfy { $0 == 0xA5 })
                unsafe Fixtures.fill(tensor.bytes, 5)
                try pool.deallocateTensor(id: 8, tensor)
                unsafe tensor.baseAddress.misuse(writing: 0, at: byteCount - 1)
                #expect(findings.take().isEmpty)
                #expect(pool.statistics().cachedBytes >= byteCount)
                pool.trim()
                let found = try #require(findings.take().first)
                #expect(found.kind == .writtenAfterFree && found.offset == byteCount - 1)
                #expect(found.tensorID == 8 && found.byteCount == byteCount)
            }
            // What comes out of the quarantine by itself is looked at too.
            let tensor = try pool.allocateTensor(id: 9, byteCount: 1000)
            let address = unsafe tensor.baseAddress
            try pool.deallocateTensor(id: 9, tensor)
            unsafe address.misuse(writing: 0, at: 10)
            for _ in 0..<600 { drop(try pool.allocate(byteCount: 30_000)) }
            #expect(findings.take().map(\.offset) == [10])
            #expect(pool.trim().releasedBytes <= Quarantine.byteLimit + 64 << 10)
            #expect(pool.statistics().reservedBytes == 0)
        }

        /// What is kept back makes room where a limit is reached.
        @Test func theQuarantineYieldsToALimit() throws {
            let base = try HybridMemoryPool()
            var configuration = try TensorMemoryPool.Configuration.watched("fill")
            configuration.byteLimit = 4 << 20
            let pool = try TensorMemoryPool(base, configuration: configuration)
            for _ in 0..<10 {
                drop(try pool.allocate(byteCount: 3 << 20))
                #expect(base.reservedByteCount <= 4 << 20)
            }
            let tensor = try pool.own(3 << 20)
            guard case .limitReached = pool.refusedBuffer(3 << 20) else {
                Issue.record("two tensors under a limit for one")
                return
            }
            #expect(tensor.byteCount == 3 << 20)
        }

        /// Without a handler, damage ends the program with a message that says what, whose and where.
        @Test func damageEndsTheProgram() async {
            let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let (pool, _) = try WatchedPool.standard.make("guard")
                let tensor = try pool.allocateTensor(id: 77, byteCount: 123)
                unsafe tensor.baseAddress.misuse(writing: 1, at: 130)
                try pool.deallocateTensor(id: 77, tensor)
            }
            expectMessage("tensor 77 (123 bytes) was written to past its end, at byte 130", of: result)
        }

        @Test func aPoolMayGoBeforeItsWatchedTensors() throws {
            let base = try HybridMemoryPool()
            let findings = Findings(of: base)
            var pool: OptimizedTensorMemoryPool? = try .init(base, configuration: .watched("fill,guard"))
            let buffer = try found(pool).allocate(byteCount: 5000)
            let handle = try found(pool).allocateTensor(id: 1, byteCount: 5000)
            pool = nil
            try base.deallocateTensor(id: 1, handle)
            unsafe buffer.baseAddress.misuse(writing: 0, at: 5001)
            drop(buffer)
            #expect(findings.take().map(\.kind) == [.writtenPast])
            #expect(base.reservedByteCount == 0 && base.memory.engines().count == 1)
        }

        @Test func aTensorBecomesAWeight() throws {
            let base = try HybridMemoryPool()
            let findings = Findings(of: base)
            let pool = try OptimizedTensorMemoryPool(base, configuration: .watched("guard"))
            let tensor = try pool.allocateTensor(id: 1, byteCount: 50_000)
            unsafe Fixtures.fill(tensor.bytes, 5)
            let weight = try pool.makeWeight(id: 1, tensor)
            #expect(weight.isCopied && weight.handle.kind == .guardedWeight)
            #expect(unsafe Fixtures.holds(weight.handle.bytes, 5))
            #expect(try !pool.makeWeight(id: 1, weight.handle).isCopied)
            #expect(pool.statistics().weightAllocations == 1)
            try pool.deallocateTensor(id: 1, weight.handle)
            #expect(pool.statistics().liveTensors == 0 && findings.all.isEmpty)
            expectSums(pool.statistics())
        }
    }
}
