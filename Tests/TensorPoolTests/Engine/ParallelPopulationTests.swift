import Testing

@testable import TensorPool

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Ranges made resident by several threads: every page of them, nothing written.
@Suite struct ParallelPopulationTests {
    @Test(arguments: [1, 2, 5], [4096, 32 << 20, 96 << 20 + 8192])
    func everyPageIsThere(threads: Int, byteCount: Int) {
        let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe mapped, unsafe memory != MAP_FAILED else {
            Issue.record("no memory for the test")
            return
        }
        defer { unsafe munmap(memory, byteCount) }
        unsafe memory.storeBytes(of: 7, as: UInt8.self)
        #expect(unsafe residentPages(memory, byteCount) < max(2, byteCount / SystemMemory.pageByteCount))
        unsafe ParallelPopulation.run(memory, byteCount, threads: threads)
        #expect(unsafe residentPages(memory, byteCount) == byteCount / SystemMemory.pageByteCount)
        #expect(unsafe memory.load(as: UInt8.self) == 7)
        #expect(unsafe memory.load(fromByteOffset: byteCount - 1, as: UInt8.self) == 0)
    }
}
