import PoolModel
import Testing

@testable import TensorPool

@Suite struct SlabTableTests {
    /// An address that nothing is read from or written to.
    private static func address(_ mebibytes: Int) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(bitPattern: mebibytes << 20)!
    }

    private static func add(_ table: inout SlabTable, _ mebibytes: Int, granules count: Int) {
        let first = table.firstGranuleForSlab(of: count)
        table.insert(
            unsafe Slab(address: address(mebibytes), firstGranule: first, granuleCount: count))
    }

    /// Looks every border of every slab up, by address and by granule.
    private static func check(_ table: borrowing SlabTable, sourceLocation: SourceLocation = #_sourceLocation) {
        for place in table.indices {
            let slab = table[place]
            for granule in [slab.firstGranule, slab.granules.upperBound - 1, slab.firstGranule + slab.granuleCount / 2]
            {
                #expect(table.place(ofGranule: granule) == place, sourceLocation: sourceLocation)
            }
            for offset in [0, 1, slab.byteCount / 2, slab.byteCount - 1] {
                #expect(unsafe table.place(of: slab.address + offset) == place, sourceLocation: sourceLocation)
            }
            if place > 0 {
                #expect(unsafe table[place - 1].address < slab.address, sourceLocation: sourceLocation)
            }
        }
        let byGranule = table.indices.map { table[$0].granules }.sorted { $0.lowerBound < $1.lowerBound }
        #expect((byGranule.first?.lowerBound ?? 64) >= 64, "0 means none", sourceLocation: sourceLocation)
        for (low, high) in zip(byGranule, byGranule.dropFirst()) {
            #expect(
                low.upperBound + 64 <= high.lowerBound, "a word of granules apart", sourceLocation: sourceLocation)
        }
    }

    @Test func slabsStandByAddressWhateverTheirNumbers() {
        var table = SlabTable()
        for (place, mebibytes) in [1024, 512, 2048, 256, 1536, 768].enumerated() {
            Self.add(&table, mebibytes, granules: 128 * (place % 2 + 1))
            Self.check(table)
        }
        #expect(table.count == 6)
        #expect(
            table.indices.map { UInt(bitPattern: unsafe table[$0].address) >> 20 } == [256, 512, 768, 1024, 1536, 2048])
        #expect(table[3].firstGranule == 64, "the first that was added")
    }

    @Test func theNumbersOfARemovedSlabAreUsedAgain() {
        var table = SlabTable()
        for place in 0..<5 { Self.add(&table, 1024 + 8 * place, granules: 256) }
        let hole = table[1].firstGranule
        let removed = table.remove(at: 1)
        #expect(unsafe removed.firstGranule == hole && removed.address == Self.address(1032))
        Self.check(table)
        #expect(table.firstGranuleForSlab(of: 256) == hole, "as large as the hole")
        #expect(table.firstGranuleForSlab(of: 128) == hole, "smaller")
        #expect(table.firstGranuleForSlab(of: 257) > table[3].granules.upperBound, "larger")
        Self.add(&table, 4096, granules: 256)
        Self.check(table)
        #expect(table[4].firstGranule == hole)
        while table.count > 0 {
            _ = table.remove(at: table.count / 2)
            Self.check(table)
        }
        #expect(table.firstGranuleForSlab(of: 1) == 64)
    }

    @Test func randomWorkKeepsTheOrder() {
        var random = SeededRandom(SeededRandom.runSeed("SlabTableTests"))
        var table = SlabTable()
        var used: Set<Int> = []
        for _ in 0..<600 {
            if random.below(5) < 3 {
                let mebibytes = 1024 + 64 * random.below(500)
                if used.insert(mebibytes).inserted {
                    Self.add(&table, mebibytes, granules: 128 * (1 + random.below(32)))
                }
            } else if table.count > 0 {
                let slab = table.remove(at: random.below(table.count))
                used.remove(Int(UInt(bitPattern: unsafe slab.address) >> 20))
            }
            #expect(table.count == used.count)
        }
        Self.check(table)
        #expect(table.count > 20)
        table.setUsedEnd(slab: 3, table[3].firstGranule + 5)
        #expect(table[3].usedEnd == table[3].firstGranule + 5)
    }

    /// What the warm path reads of a heap with one slab.
    @Test func theOnlySlabIsAtHandAndOfSeveralNone() {
        var table = SlabTable()
        #expect(table.onlyUsedEnd == 0)
        Self.add(&table, 1024, granules: 256)
        #expect(table.onlyUsedEnd == 64, "nothing of it was used")
        table.setUsedEnd(slab: 0, 100)
        #expect(unsafe table.onlyUsedEnd == 100 && table.onlyOrigin + 64 << Granule.shift == Self.address(1024))
        #expect(unsafe table.granule(at: Self.address(1025)) == 128)
        Self.add(&table, 512, granules: 256)
        #expect(table.onlyUsedEnd == 0)
        #expect(unsafe table.granule(at: Self.address(1025)) == 128)
        #expect(unsafe table.granule(at: Self.address(513)) == table[0].firstGranule + 64)
        table.setUsedEnd(slab: 0, table[0].firstGranule + 7)
        #expect(table.onlyUsedEnd == 0)
        _ = table.remove(at: 1)
        #expect(table.onlyUsedEnd == table[0].firstGranule + 7)
        #expect(unsafe table.granule(at: Self.address(513)) == table[0].firstGranule + 64)
        _ = table.remove(at: 0)
        #expect(table.onlyUsedEnd == 0)
    }
}
