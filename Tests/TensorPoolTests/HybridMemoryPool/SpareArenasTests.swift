import Foundation
import Testing

@testable import TensorPool

extension PoolTests {
    struct SpareArenasTests {
        #if os(Linux)
        /// A process has some 65,000 mappings, and a server makes and drops pools for months.
        @Test func basesThatComeAndGoLeaveNoMappings() throws {
            func useBase() throws {
                let base = try HybridMemoryPool()
                let pool = try AdaptiveTensorMemoryPool(base)
                let optimized = try OptimizedTensorMemoryPool(base)
                for byteCount in [1000, 20_000, 300_000, 3 << 20, 20 << 20] {
                    try pool.own(byteCount).fill(1)
                    try optimized.own(byteCount).fill(2)
                }
                try pool.own(100_000, TensorTraits(role: .weight)).fill(3)
            }
            for _ in 0..<3 { try useBase() }
            let before = try Mapping.all().count
            for _ in 0..<100 { try useBase() }
            // Others come and go with the standard library and jemalloc's own arenas.
            #expect(try Mapping.all().count < before + 50)
        }

        /// Huge pages that one pool asked for are not the next one's.
        @Test func adviceEndsWithTheMemoryItWasFor() throws {
            func flags(_ configuration: OptimizedTensorPoolConfig, _ role: TensorRole) throws -> [Substring] {
                let base = try HybridMemoryPool()
                let pool = try OptimizedTensorMemoryPool(base, configuration: configuration)
                let tensor = try pool.own(3 << 20, TensorTraits(role: role))
                return try #require(Mapping.all().first { $0.range.contains(tensor.address) }).flags
            }
            for role in [TensorRole.activation, .weight] {
                var advised = OptimizedTensorPoolConfig.bare
                advised.hugePages = .automatic
                #expect(try flags(advised, role).contains("hg"), "\(role)")
                #expect(try !flags(.bare, role).contains("hg"), "\(role)")
                #expect(try flags(advised, role).contains("hg"), "\(role)")
            }
        }
        #endif

        @Test func anArenaGoesToTheNextBaseEmptyAndWithItsSettings() throws {
            // What is not purged is retained.
            var base = try HybridMemoryPool(configuration: .init(decayMilliseconds: -1))
            for _ in 0..<2 { try TensorMemoryPool(base).own(1 << 20).fill(1) }
            #expect(base.retainedByteCount() >= 1 << 20)
            base = try HybridMemoryPool(configuration: .init(decayMilliseconds: 0))
            var tensor: Owned? = try TensorMemoryPool(base).own(1 << 20)
            #expect(base.retainedByteCount() == 0)
            tensor?.fill(2)
            tensor = nil
            #expect(base.retainedByteCount() == 0)
        }
    }
}

#if os(Linux)
/// One mapping of the process's memory, as the kernel tells it.
private struct Mapping {
    let range: Range<UInt>
    /// Such as `hg`: advised to be in huge pages.
    var flags: [Substring]

    static func all() throws -> [Mapping] {
        var mappings: [Mapping] = []
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        let text = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0] == "VmFlags:" {
                mappings[mappings.count - 1].flags = Array(words.dropFirst())
            } else if !words[0].hasSuffix(":") {
                let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                mappings.append(Mapping(range: ends[0]..<ends[1], flags: []))
            }
        }
        return mappings
    }
}
#endif
