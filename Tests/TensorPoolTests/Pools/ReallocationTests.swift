import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    struct ReallocationTests {
        private static let sizes = [
            1, 60, 100, 4096, 9000, 14_000, 20_000, 40_000, 100_000, 1 << 20, 3_000_001, 9 << 20, 50_000, 70, 30_000, 5,
        ]

        /// Both ends of so many bytes, and places between.
        private static func places(_ count: Int) -> [Int] {
            Array(0..<min(count, 300)) + Array(stride(from: 0, to: count, by: 1021))
                + Array(max(0, count - 300)..<count)
        }

        @Test(arguments: PoolCase.all)
        func contentsAreKeptAndSumsHold(_ pool: PoolCase) throws {
            let base = try HybridMemoryPool()
            let pool = try pool.make(base)
            func check(_ pool: some TensorAllocator) throws {
                for alignment in [64, 4096, 65_536] {
                    var buffer = try pool.allocate(
                        byteCount: 10, alignment: alignment, zeroed: false, traits: TensorTraits())
                    for byteCount in Self.sizes {
                        let kept = min(byteCount, buffer.byteCount)
                        let mark = UInt8(truncatingIfNeeded: byteCount)
                        unsafe buffer.withUnsafeMutableBytes {
                            unsafe _ = $0.initializeMemory(as: UInt8.self, repeating: mark)
                        }
                        try pool.reallocate(&buffer, byteCount: byteCount, alignment: alignment)
                        #expect(buffer.byteCount == byteCount)
                        let address = unsafe UInt(bitPattern: buffer.baseAddress)
                        #expect(address % UInt(alignment) == 0)
                        let bytes = buffer.bytes
                        let isKept = Self.places(kept).allSatisfy {
                            unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == mark
                        }
                        #expect(isKept, "from \(kept) to \(byteCount)")
                        #expect(pool.statistics().liveBytes == byteCount && pool.statistics().liveTensors == 1)
                        expectSums(pool.statistics())
                    }
                }
                var handle = try pool.allocateTensor(id: 7, byteCount: 10)
                for byteCount in Self.sizes {
                    let old = handle
                    let kept = min(byteCount, old.byteCount)
                    unsafe old.bytes.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: byteCount))
                    handle = try pool.reallocateTensor(id: 7, old, byteCount: byteCount)
                    let isKept = Self.places(kept).allSatisfy {
                        unsafe handle.bytes[$0] == UInt8(truncatingIfNeeded: byteCount)
                    }
                    #expect(isKept && handle.byteCount == byteCount)
                    #expect(throws: TensorPoolError.self) { try pool.deallocateTensor(id: 7, old) }
                    #expect(pool.statistics().liveBytes == byteCount && pool.statistics().liveTensors == 1)
                    expectSums(pool.statistics())
                }
                try pool.deallocateTensor(id: 7, handle)
            }
            try check(pool)
            #expect(pool.statistics().liveBytes == 0 && pool.statistics().liveTensors == 0)
        }

        @Test func aSpanGrowsIntoWhatIsFreeBehindItAndGivesItsEndBack() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            var buffer = try pool.allocate(byteCount: 100 << 10)
            let address = unsafe UInt(bitPattern: buffer.baseAddress)
            for step in 1...20 {
                try pool.reallocate(&buffer, byteCount: 100 << 10 + step * 50_000)
                #expect(unsafe UInt(bitPattern: buffer.baseAddress) == address, "step \(step)")
            }
            let reserved = pool.statistics().reservedBytes
            try pool.reallocate(&buffer, byteCount: 20_000)
            #expect(unsafe UInt(bitPattern: buffer.baseAddress) == address)
            // What was given back serves the next one, right behind.
            let neighbour = try pool.own(800_000)
            #expect(neighbour.address == address + 32 << 10)
            #expect(pool.statistics().reservedBytes == reserved)
            // A neighbour stands in the way: it moves.
            try pool.reallocate(&buffer, byteCount: 100_000)
            #expect(unsafe UInt(bitPattern: buffer.baseAddress) != address)
        }

        @Test func whatCannotBeHadLeavesTheTensorAsItWas() throws {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 4 << 20))
            let pool = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var buffer = try pool.allocate(byteCount: 1 << 20)
            unsafe buffer.withUnsafeMutableBytes { unsafe _ = $0.initializeMemory(as: UInt8.self, repeating: 9) }
            let address = unsafe UInt(bitPattern: buffer.baseAddress)
            for byteCount in [0, -1, 5 << 20, Int.max, Engine.maximumByteCount] {
                #expect(throws: TensorPoolError.self) { try pool.reallocate(&buffer, byteCount: byteCount) }
            }
            #expect(throws: TensorPoolError.self) { try pool.reallocate(&buffer, byteCount: 100, alignment: 3) }
            #expect(unsafe UInt(bitPattern: buffer.baseAddress) == address && buffer.byteCount == 1 << 20)
            let isKept = unsafe buffer.withUnsafeMutableBytes { bytes in unsafe bytes.allSatisfy { $0 == 9 } }
            #expect(isKept)
            expectSums(pool.statistics())
            let handle = try pool.allocateTensor(id: 1, byteCount: 50_000)
            #expect(throws: TensorPoolError.self) { try pool.reallocateTensor(id: 1, handle, byteCount: 8 << 20) }
            #expect(throws: TensorPoolError.self) { try pool.reallocateTensor(id: 2, handle, byteCount: 60_000) }
            try pool.deallocateTensor(id: 1, handle)
            #expect(throws: TensorPoolError.self) { try pool.reallocateTensor(id: 1, handle, byteCount: 60_000) }
        }

        @Test func aBufferOfAnotherPoolMovesOrStays() throws {
            let base = try HybridMemoryPool()
            let first = try OptimizedTensorMemoryPool(base, configuration: .bare)
            let second = try OptimizedTensorMemoryPool(base, configuration: .bare)
            var buffer = try first.allocate(byteCount: 5000)
            unsafe buffer.withUnsafeMutableBytes { unsafe _ = $0.initializeMemory(as: UInt8.self, repeating: 3) }
            try second.reallocate(&buffer, byteCount: 50_000)
            #expect(first.statistics().liveTensors == 0 && second.statistics().liveTensors == 1)
            let isKept = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe bytes.prefix(5000).allSatisfy { $0 == 3 }
            }
            #expect(isKept)
            let handle = try first.allocateTensor(id: 3, byteCount: 100)
            #expect(throws: TensorPoolError.foreignHandle(tensorID: 3)) {
                try second.reallocateTensor(id: 3, handle, byteCount: 50_000)
            }
            try first.deallocateTensor(id: 3, handle)
        }

        @Test func aHandleOfAnotherThreadMoves() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let handle = try pool.allocateTensor(id: 4, byteCount: 20_000)
            unsafe handle.bytes.initializeMemory(as: UInt8.self, repeating: 5)
            let result = Mutex<MemoryHandle?>(nil)
            onAnotherThread {
                let moved = try? pool.reallocateTensor(id: 4, handle, byteCount: 30_000)
                result.withLock { $0 = moved }
            }
            let moved = try found(result.withLock { $0 })
            #expect(unsafe moved.baseAddress != handle.baseAddress)
            let isKept = unsafe moved.bytes.prefix(20_000).allSatisfy { $0 == 5 }
            #expect(isKept)
            try pool.deallocateTensor(id: 4, moved)
            _ = try pool.own(1 << 20)
            #expect(pool.statistics().liveTensors == 0)
            expectSums(pool.statistics())
        }
    }
}
