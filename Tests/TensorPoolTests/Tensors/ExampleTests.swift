import TensorPool
import Testing

extension PoolTests {
    @Suite struct ExampleTests {
        /// The lines that the documentation promises, as they are written there.
        @Test func theLinesOfTheDocumentationWork() throws {
            let base = try HybridMemoryPool()
            let standard = try TensorMemoryPool(base)
            let optimized = try OptimizedTensorMemoryPool(base)
            let adaptive = try AdaptiveTensorMemoryPool(base)
            let handle = try adaptive.allocateTensor(
                id: 7, byteCount: 1 << 20, device: .cpu, isModelWeight: false, isTemporary: true)
            _ = unsafe (handle.baseAddress, handle.byteCount)
            try adaptive.deallocateTensor(id: 7, handle)
            let buffer = try adaptive.allocate(byteCount: 1 << 20)
            unsafe buffer.withUnsafeMutableBytes { unsafe $0[0] = 1 }
            #expect(buffer.bytes.byteCount == 1 << 20)
            #expect(standard.statistics().allocations + optimized.statistics().allocations == 0)
        }

        @Test func spansReadAndWriteTheBytes() throws {
            let pool = try AdaptiveTensorMemoryPool(HybridMemoryPool())
            var buffer = try pool.allocate(byteCount: 4 * 100 + 3, alignment: 256, zeroed: true)
            #expect(buffer.span(of: Float.self).count == 100)
            #expect(buffer.span(of: Float.self)[99] == 0)
            var floats = buffer.mutableSpan(of: Float.self)
            floats[99] = 1.5
            #expect(buffer.span(of: Float.self)[99] == 1.5)
            var bytes = buffer.mutableBytes
            bytes.storeBytes(of: 7, toByteOffset: 402, as: UInt8.self)
            #expect(unsafe buffer.bytes.unsafeLoad(fromByteOffset: 402, as: UInt8.self) == 7)
            #expect(buffer.bytes.byteCount == 403)
        }
    }
}
