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
    private static func residentPages(_ address: UnsafeMutableRawPointer, _ byteCount: Int) -> Int {
        let count = byteCount / SystemMemory.pageByteCount
        #if os(Linux)
        var states = [UInt8](repeating: 0, count: count)
        let failure = unsafe mincore(address, byteCount, &states)
        #else
        var states = [CChar](repeating: 0, count: count)
        let failure = unsafe mincore(address, byteCount, &states)
        #endif
        return failure == 0 ? states.count { $0 & 1 == 1 } : -1
    }

    @Test(arguments: [1, 2, 5], [4096, ParallelPopulation.partByteCount, 3 * ParallelPopulation.partByteCount + 8192])
    func everyPageIsThere(threads: Int, byteCount: Int) {
        let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe mapped, unsafe memory != MAP_FAILED else {
            Issue.record("no memory for the test")
            return
        }
        defer { unsafe munmap(memory, byteCount) }
        unsafe memory.storeBytes(of: 7, as: UInt8.self)
        #expect(unsafe Self.residentPages(memory, byteCount) < max(2, byteCount / SystemMemory.pageByteCount))
        unsafe ParallelPopulation.run(memory, byteCount, threads: threads)
        #expect(unsafe Self.residentPages(memory, byteCount) == byteCount / SystemMemory.pageByteCount)
        #expect(unsafe memory.load(as: UInt8.self) == 7)
        #expect(unsafe memory.load(fromByteOffset: byteCount - 1, as: UInt8.self) == 0)
    }
}
