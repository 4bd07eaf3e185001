import CThreadSlot
import Testing

@testable import TensorPool

/// The cache that stands for no cache: written in C, read by the hot path as if it were one of ours.
@Suite struct NoCacheTests {
    @Test func itsBinsAreWhereTheHotPathLooks() {
        #expect(unsafe MemoryLayout<CacheBin>.offset(of: \.slot) == 0)
        #expect(unsafe MemoryLayout<CacheBin>.offset(of: \.top) == 8)
        #expect(unsafe MemoryLayout<CacheBin>.offset(of: \.ceiling) == 16)
        #expect(unsafe MemoryLayout<CacheBin>.offset(of: \.untilSample) == 24)
        #expect(CacheLayout.headerByteCount == 128 && 1 << CacheLayout.binShift == 64 && CacheLayout.binCount == 178)
    }

    /// An engine that no thread ever used: each entry of a thread that has a table, and of one that has none.
    @Test(arguments: [true, false])
    func nothingIsFoundAndNothingStays(hasTable: Bool) {
        let number = UInt32(EngineRegistry.capacity - 1)
        onThreads(1) { _ in
            let address = unsafe UnsafeMutableRawPointer(bitPattern: 64)!
            if hasTable { #expect(EngineRegistry.prepareThread()) }
            for bin in 0..<CacheLayout.recordBin {
                let kind = BlockKind(bin: bin)
                #expect(unsafe HotPath.pop(engine: number, kind: kind, byteCount: 64) == nil, "bin \(bin)")
                #expect(unsafe HotPath.popTensor(engine: number, kind: kind, byteCount: 64, id: 1) == nil)
                #expect(unsafe !HotPath.push(engine: number, kind: kind, byteCount: 64, address: address))
                #expect(!HotPath.isSample(engine: number, kind: kind))
                #expect(unsafe HotPath.popSampled(engine: number, kind: kind, byteCount: 64) == nil)
            }
            #expect(unsafe HotPath.pop(engine: number, kind: BlockKind(bin: CacheLayout.emptyBin), byteCount: 0) == nil)
            #expect(unsafe tensorpool_load_entry(tensorpool_current_thread(), number) == nil)
        }
    }
}
