import Testing

@testable import TensorPool

@Suite struct SizeClassTests {
    @Test func everySizeComesToTheSmallestClassThatHoldsIt() {
        let sizes = (0..<SizeClass.count).map { SizeClass.byteCount($0) }
        #expect(sizes == sizes.sorted() && Set(sizes).count == sizes.count)
        #expect(sizes.last == SizeClass.maximumByteCount)
        var failures = 0
        for byteCount in 1...SizeClass.maximumByteCount {
            let index = SizeClass.index(byteCount)
            guard sizes.indices.contains(index) else {
                failures += 1
                continue
            }
            let fits = sizes[index] >= byteCount
            let isSmallest = index == 0 || sizes[index - 1] < byteCount
            // Over 256 bytes less than a fifth of the block, below that less than one step of 64.
            let padding = sizes[index] - byteCount
            let isBounded = byteCount > 256 ? 5 * padding < sizes[index] : padding < 64
            if !fits || !isSmallest || !isBounded { failures += 1 }
        }
        #expect(failures == 0)
    }

    @Test func indexAndSizeAreInverse() {
        for index in 0..<SizeClass.count {
            #expect(SizeClass.index(SizeClass.byteCount(index)) == index)
            #expect(SizeClass.byteCount(index) % 64 == 0)
        }
    }

    @Test func anAlignedRequestGetsTheSmallestClassThatIsSo() {
        for shift in 6...12 {
            let alignment = 1 << shift
            for byteCount in 1...SizeClass.maximumByteCount {
                let naive = (0..<SizeClass.count).first {
                    SizeClass.byteCount($0) >= byteCount && SizeClass.byteCount($0) % alignment == 0
                }
                if SizeClass.index(byteCount, alignment: alignment, ceiling: SizeClass.maximumByteCount) != naive {
                    Issue.record("\(byteCount) at \(alignment)")
                    return
                }
            }
        }
        #expect(SizeClass.index(100, alignment: 8192, ceiling: SizeClass.maximumByteCount) == nil)
        #expect(SizeClass.index(14_337, alignment: 64, ceiling: 14 << 10) == nil)
        #expect(SizeClass.index(14_336, alignment: 64, ceiling: 14 << 10).map { SizeClass.byteCount($0) } == 14_336)
        // The class found may not lie above the ceiling either.
        #expect(SizeClass.index(13_000, alignment: 4096, ceiling: 14 << 10) == nil)
    }

    @Test(arguments: [14 << 10, 32 << 10])
    func theHotPathFindsTheBinOfTheRules(ceiling: Int) {
        for byteCount in 1...ceiling {
            let kind = EngineFront.ownKind(byteCount, smallCeiling: ceiling)
            if kind != .small(SizeClass.index(byteCount)) {
                Issue.record("\(byteCount) bytes: \(String(describing: kind))")
            }
        }
        for byteCount in ceiling + 1...(1 << 20) + 1 {
            let granules = Granule.count(byteCount)
            let kind = EngineFront.ownKind(byteCount, smallCeiling: ceiling)
            if kind != (granules <= 64 ? .span(granules) : nil) {
                Issue.record("\(byteCount) bytes: \(String(describing: kind))")
            }
        }
        // What is no size finds no block: an empty bin, or one that keeps no such number of granules.
        for byteCount in [0, -1, -62, -63, -64, -16_384, -(1 << 20), -(1 << 47), Int.min, Int.max, Int.max - 63] {
            let kind = EngineFront.ownKind(byteCount, smallCeiling: ceiling)
            #expect(kind == nil || kind?.bin == CacheLayout.emptyBin, "\(byteCount)")
        }
    }

    @Test func everyBinHasOneKeyOfItsOwn() {
        // Up to 64 granules each count has its own bin; no count of granules leaves the span bins.
        #expect(Set((1...64).map { CacheLayout.spanBin($0) }).count == 64)
        for granules in [1, 2, 63, 64, 65, 128, 1023, 1024, 1025, 4096, 1 << 20, 1 << 32, Int.max] {
            let bin = CacheLayout.spanBin(granules)
            #expect(bin >= CacheLayout.firstSpanBin && bin < CacheLayout.recordBin, "\(granules)")
            #expect(
                CacheLayout.category(ofBin: bin)
                    == TensorSizeCategory(byteCount: granules > 1 << 32 ? .max : granules << Granule.shift))
        }
        for granules in [0, -1, -2, -64, -65, -200, Int.min, Int.min + 1] {
            #expect((0..<CacheLayout.recordBin).contains(CacheLayout.spanBin(granules)), "\(granules)")
        }
    }
}
