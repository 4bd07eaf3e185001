import Foundation
import Testing

@testable import TensorPool

#if canImport(Glibc)
import Glibc
#endif

extension PoolTests {
    /// Tensors between inaccessible pages.
    struct GuardPageTests {
        /// Reads a byte that the optimizer must read.
        @inline(never) private static func read(_ address: UnsafeMutableRawPointer) {
            unsafe print(address.load(as: UInt8.self))
        }

        @Test func productionSamplesAreRarerWhereFirstTouchIsDear() throws {
            func drawn(_ words: String, byteCount: Int) throws -> Int {
                let guards = Guards(try DebugOptions(words), scrubs: false)
                let request = BlockRequest(byteCount: byteCount, alignment: 64, zeroed: false, role: .activation)
                return (0..<2000).count { _ in
                    if case .betweenPages = guards.choose(request, weight: 2048) { true } else { false }
                }
            }
            let small = try drawn("pages=1/2048", byteCount: 64 << 10)
            // One in 256 of as many: a wrong share by this much does not happen once in the age of the universe.
            let large = try drawn("pages=1/2048", byteCount: 16 << 20)
            #expect(small > 1000 && large < small / 10, "\(small) and \(large)")
            #expect(try drawn("pages=1/1", byteCount: 16 << 20) == 2000)
        }

        @Test func aReadPastTheEndFails() async throws {
            let result = await #expect(processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]) {
                let (pool, _) = try WatchedPool.optimized.make("pages=1/1,faults")
                // Whole pages: there is no room for slack on either side.
                let tensor = try pool.allocateTensor(id: 5, byteCount: 8192)
                unsafe Self.read(tensor.baseAddress + 8191)
                unsafe Self.read(tensor.baseAddress + 8200)
            }
            let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            #expect(message.contains("8 bytes past the end of live tensor 5 (8192 bytes) was touched"), "\(message)")
        }

        @Test func aWriteBeforeTheStartFails() async throws {
            let result = await #expect(processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]) {
                let (pool, _) = try WatchedPool.adaptive.make("pages=1/1,faults,backtraces")
                let buffer = try pool.allocate(byteCount: 4096)
                unsafe (buffer.baseAddress - 1).storeBytes(of: 1, as: UInt8.self)
                drop(buffer)
            }
            let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            #expect(message.contains("1 bytes before the start of live buffer (4096 bytes) was touched"), "\(message)")
            #expect(message.contains("allocated by"), "\(message)")
        }

        @Test func aReadAfterTheFreeFails() async throws {
            let result = await #expect(processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]) {
                let (pool, _) = try WatchedPool.standard.make("pages=1/1,faults")
                let tensor = try pool.allocateTensor(id: 6, byteCount: 100_000)
                try pool.deallocateTensor(id: 6, tensor)
                for _ in 0..<Quarantine.pagesLimit - 1 { drop(try pool.allocate(byteCount: 100)) }
                unsafe Self.read(tensor.baseAddress + 50_000)
            }
            let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            #expect(message.contains("byte 50000 of freed tensor 6 (100000 bytes) was touched"), "\(message)")
        }

        /// Bytes between the tensor and the page's end are checked at the free.
        @Test func slackIsChecked() throws {
            let (pool, base) = try WatchedPool.optimized.make("pages=1/1")
            let findings = Findings(of: base)
            let tensor = try pool.allocateTensor(id: 6, byteCount: 100)
            unsafe tensor.baseAddress.misuse(writing: 1, at: 101)
            try pool.deallocateTensor(id: 6, tensor)
            #expect(findings.take().map(\.offset) == [101])
        }

        /// About one in so many, of cache hits too, and the figures stay exact.
        @Test(arguments: [false, true])
        func aShareOfAllTensors(_ usesHandles: Bool) throws {
            let base = try HybridMemoryPool()
            let pool = try OptimizedTensorMemoryPool(base, configuration: .watched("pages=1/2048"))
            let count = 400_000
            for _ in 0..<count / 4 {
                for byteCount in [64, 4096, 5000, 100_000] {
                    if usesHandles {
                        let tensor = try pool.allocateTensor(id: 1, byteCount: byteCount)
                        try pool.deallocateTensor(id: 1, tensor)
                    } else {
                        drop(try pool.allocate(byteCount: byteCount))
                    }
                }
            }
            let statistics = pool.statistics()
            #expect(statistics.allocations == count && statistics.liveTensors == 0 && statistics.liveBytes == 0)
            expectSums(statistics)
            // Of 195 expected with a spread of 8, beside the few that fill the caches.
            #expect((100...400).contains(statistics.backendAllocations), "\(statistics.backendAllocations)")
            pool.trim()
            #expect(base.reservedByteCount == 0)
        }

        /// A size that is asked for less often than samples come has its share too, hits or misses.
        @Test(arguments: [false, true])
        func aShareOfManyRareSizes(_ usesHandles: Bool) throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .watched("pages=1/2048"))
            var guarded = 0
            for byteCount in (0..<SizeClass.count).map(SizeClass.byteCount) where byteCount <= 14 << 10 {
                for _ in 0..<1500 {
                    if usesHandles {
                        let tensor = try pool.allocateTensor(id: 1, byteCount: byteCount)
                        if tensor.kind.isGuarded { guarded += 1 }
                        try pool.deallocateTensor(id: 1, tensor)
                    } else {
                        let buffer = try pool.allocate(byteCount: byteCount)
                        if buffer.kind.isGuarded { guarded += 1 }
                        drop(buffer)
                    }
                }
            }
            // Of 28 sizes with a chance of 0.73 each 20 are expected, with a spread of 2.3.
            #expect((5...40).contains(guarded), "\(guarded)")
        }

        /// Where a limit has no room for pages, the tensor comes from the pool as ever.
        @Test func noRoomForPages() throws {
            let base = try HybridMemoryPool()
            var configuration = OptimizedTensorPoolConfig.bare
            configuration.debugging = try DebugOptions("pages=1/2048")
            configuration.byteLimit = Granule.byteCount
            let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
            for _ in 0..<100_000 {
                let tensor = try pool.allocate(byteCount: Granule.byteCount)
                #expect(tensor.byteCount == Granule.byteCount)
            }
            #expect(base.reservedByteCount <= Granule.byteCount)
        }

        /// The process has so many places; who has none is watched without pages.
        @Test func moreLiveTensorsThanPlaces() throws {
            let (pool, base) = try WatchedPool.standard.make("pages=1/1")
            let findings = Findings(of: base)
            let tensors = try (0..<5000).map { try pool.allocateTensor(id: $0, byteCount: 100) }
            #expect(base.reservedByteCount >= 1000 * SystemMemory.pageByteCount)
            #expect(base.reservedByteCount < 2100 * SystemMemory.pageByteCount + 3000 * 192)
            for tensor in tensors { try pool.deallocateTensor(id: tensor.tensorID, tensor) }
            #expect(findings.all.isEmpty && base.statistics().liveTensors == 0)
        }

        @Test func theAddressesGoBackWithThePool() throws {
            func mappings() throws -> Int {
                try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n").count
            }
            try PoolTests.GuardPageTests.use()
            let before = try mappings()
            for _ in 0..<20 { try PoolTests.GuardPageTests.use() }
            #expect(try mappings() < before + 40)
        }

        private static func use() throws {
            let (pool, _) = try WatchedPool.optimized.make("pages=1/1")
            for _ in 0..<50 { drop(try pool.allocate(byteCount: 5000)) }
        }
    }
}
