import PoolModel
import Testing

@testable import TensorPool

@Suite struct SpanHeapTests {
    /// An address that nothing is read from or written to: the heap only counts with it.
    private static func address(_ mebibytes: Int) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(bitPattern: mebibytes << 20)!
    }

    private static func take(_ heap: inout SpanHeap, _ count: Int, alignment: Int = 64) -> SpanHeap.Span? {
        guard let span = heap.fit(count, alignment: alignment) else { return nil }
        heap.take(span)
        heap.markWritten(span)
        return span
    }

    @Test func anEmptyHeapFitsNothing() {
        let heap = SpanHeap()
        let found = heap.fit(1, alignment: 64) != nil || heap.fit(1, alignment: 2 << 20) != nil
        #expect(!found)
        #expect(heap.backedGranules == 0 && heap.takenGranules == 0 && heap.prewarmedGranules == 0)
    }

    /// The granules of a span, counted from the first one of its slab.
    private static func offsets(_ span: SpanHeap.Span, in heap: borrowing SpanHeap) -> Range<Int> {
        let first = heap.slabs[span.slab].firstGranule
        return span.granules.lowerBound - first..<span.granules.upperBound - first
    }

    @Test func spansAreTakenFromAFreeRunsStartAndNeighboursJoin() throws {
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        var spans: [SpanHeap.Span] = []
        for count in [3, 5, 7, 1] { spans.append(try found(Self.take(&heap, count))) }
        #expect(spans.map { Self.offsets($0, in: heap) } == [0..<3, 3..<8, 8..<15, 15..<16])
        #expect(unsafe spans[1].address == Self.address(1024) + 3 * Granule.byteCount)
        #expect(unsafe heap.lastTaken == spans[3].address)
        #expect(heap.takenGranules == 16 && heap.backedGranules == 16 && heap.peakTakenGranules == 16)
        unsafe heap.give(spans[0].address, 3)
        #expect(unsafe heap.lastTaken == nil)
        unsafe heap.give(spans[2].address, 7)
        // The shortest run that is long enough.
        #expect(heap.fit(3, alignment: 64)?.granules == spans[0].granules)
        #expect(heap.fit(7, alignment: 64)?.granules == spans[2].granules)
        unsafe heap.give(spans[1].address, 5)
        let joined = try found(heap.fit(15, alignment: 64))
        #expect(Self.offsets(joined, in: heap) == 0..<15, "three neighbours joined")
        unsafe heap.give(spans[3].address, 1)
        let whole = try found(heap.fit(128, alignment: 64))
        #expect(Self.offsets(whole, in: heap) == 0..<128)
        #expect(heap.takenGranules == 0 && heap.backedGranules == 16, "given is not unbacked")
        #expect(heap.peakTakenGranules == 16)
        heap.forgetPeak()
        #expect(heap.peakTakenGranules == 0)
    }

    @Test func whatIsNoLengthOrNowhereFreeIsNotTaken() throws {
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        let first = try found(Self.take(&heap, 128))
        unsafe heap.give(first.address, 128)
        func expectNone(_ counts: [Int]) {
            for count in counts {
                let taken = unsafe heap.takeUsed(count) != nil
                #expect(!taken, "\(count) granules")
            }
        }
        let wrong = [0, -1, .min, .max - 1, .max, 1 << 28, 129]
        expectNone(wrong)
        // Two slabs, all of both taken.
        unsafe heap.add(Self.address(2048), byteCount: 2 << 20)
        for _ in 0..<2 { _ = try found(Self.take(&heap, 128)) }
        expectNone(wrong + [1])
        #expect(heap.takenGranules == 256)
    }

    @Test func whatWasUsedIsTakenAtOnceAndNothingElse() throws {
        var heap = SpanHeap()
        let base = unsafe Self.address(1024)
        /// The granule of the slab where a used span was got; nil where there is none.
        func takeUsed(_ count: Int) -> Int? {
            unsafe heap.takeUsed(count).map { unsafe ($0 - base) >> Granule.shift }
        }
        func give(_ granule: Int, _ count: Int) { unsafe heap.give(base + granule << Granule.shift, count) }
        #expect(takeUsed(1) == nil)
        unsafe heap.add(base, byteCount: 2 << 20)
        #expect(takeUsed(1) == nil, "never used")
        _ = try found(Self.take(&heap, 10))
        #expect(takeUsed(1) == nil)
        give(0, 10)
        // The only run begins with them, and ends with others.
        #expect(takeUsed(11) == nil)
        #expect(heap.takenGranules == 0 && heap.backedGranules == 10)
        #expect(takeUsed(4) == 0)
        #expect(takeUsed(6) == 4)
        #expect(takeUsed(1) == nil)
        #expect(heap.takenGranules == 10 && heap.backedGranules == 10 && heap.peakTakenGranules == 10)
        // What went back to the system was not used any more; what lies below still was.
        give(4, 6)
        let released = unsafe heap.releaseFree(atLeast: .max) { _, _ in true }
        #expect(released == 6)
        #expect(takeUsed(1) == nil)
        give(0, 4)
        #expect(takeUsed(4) == 0)
        // Prewarmed memory is not used either: somebody has to count it.
        give(0, 4)
        let backed = unsafe heap.back(upTo: .max) { _, _ in }
        #expect(backed == 124)
        #expect(takeUsed(5) == nil)
        #expect(heap.prewarmedGranules == 124)
        _ = try found(Self.take(&heap, 5))
        #expect(heap.prewarmedGranules == 123)
    }

    @Test func whatLiesBehindAHoleIsUsedAgainOnceTheHoleIs() throws {
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        let spans = try (0..<8).map { _ in try found(Self.take(&heap, 10)) }
        unsafe heap.give(spans[0].address, 10)
        let released = unsafe heap.releaseFree(atLeast: .max) { _, _ in true }
        #expect(released == 10 && heap.slabs[0].usedEnd == spans[0].granules.lowerBound)
        _ = try found(Self.take(&heap, 10))
        #expect(heap.slabs[0].usedEnd == spans[7].granules.upperBound)
        unsafe heap.give(spans[5].address, 10)
        let again = unsafe heap.takeUsed(10)
        #expect(unsafe again == spans[5].address)
    }

    @Test func spansAreAligned() throws {
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1026), byteCount: 8 << 20)
        _ = try found(Self.take(&heap, 1))
        var shift = 15
        while shift <= 21 {
            let span = try found(Self.take(&heap, 3, alignment: 1 << shift))
            #expect(UInt(bitPattern: unsafe span.address) % (1 << UInt(shift)) == 0)
            shift += 1
        }
        // What lies before an aligned span stays free.
        let small = try found(Self.take(&heap, 1))
        #expect(Self.offsets(small, in: heap) == 1..<2)
    }

    @Test func alignedSpansSplitRunsAndJoinThemAgain() throws {
        var random = SeededRandom(SeededRandom.runSeed("SpanHeapTests.aligned"))
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1026), byteCount: 16 << 20)
        unsafe heap.add(Self.address(1042), byteCount: 16 << 20)
        var live: [(address: Int, count: Int)] = []
        for _ in 0..<3000 {
            let count = 1 + random.below(40)
            let alignment = 1 << (14 + random.below(8))
            if let span = Self.take(&heap, count, alignment: alignment) {
                let address = Int(bitPattern: unsafe span.address)
                #expect(address % alignment == 0)
                let end = address + count << Granule.shift
                #expect(!live.contains { $0.address < end && address < $0.address + $0.count << Granule.shift })
                live.append((address, count))
            }
            if live.count > 25 {
                let span = live.remove(at: random.below(live.count))
                unsafe heap.give(UnsafeMutableRawPointer(bitPattern: span.address)!, span.count)
            }
        }
        #expect(live.count > 20)
        for span in live { unsafe heap.give(UnsafeMutableRawPointer(bitPattern: span.address)!, span.count) }
        #expect(
            heap.free.sortedRuns()
                == heap.slabs.indices.map { heap.slabs[$0].granules }.sorted { $0.lowerBound < $1.lowerBound })
    }

    @Test func runsNeverCrossSlabs() throws {
        var heap = SpanHeap()
        // Neighbours in memory, so that only the heap itself can keep them apart.
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        unsafe heap.add(Self.address(1026), byteCount: 2 << 20)
        unsafe heap.add(Self.address(1020), byteCount: 4 << 20)
        #expect(heap.slabs.indices.map { UInt(bitPattern: unsafe heap.slabs[$0].address) >> 20 } == [1020, 1024, 1026])
        #expect(heap.fit(257, alignment: 64) == nil)
        let large = try found(Self.take(&heap, 256))
        #expect(unsafe large.address == Self.address(1020))
        let second = try found(Self.take(&heap, 100))
        let third = try found(Self.take(&heap, 100))
        #expect(heap.fit(29, alignment: 64) == nil, "28 are left in each")
        #expect(unsafe Set([second.address, third.address]) == Set([Self.address(1024), Self.address(1026)]))
        unsafe heap.give(third.address, 100)
        unsafe heap.give(second.address, 100)
        unsafe heap.give(large.address, 256)
        #expect(heap.slabs.indices.allSatisfy { heap.isUnused(slab: $0) })
        #expect(heap.free.sortedRuns().map(\.count).sorted() == [128, 128, 256])
    }

    /// Inside a slab that is gone the tags of its runs are left. Where a smaller one takes its numbers they must not be
    /// mistaken for runs beside it.
    @Test func smallSlabsInTheNumbersOfALargeOne() throws {
        for border in [1, 2, 5, 128, 129, 191, 192, 193, 255, 256, 257] {
            var heap = SpanHeap()
            unsafe heap.add(Self.address(1024), byteCount: 16 << 20)
            // Free runs that end, and that begin, at this place of the slab.
            var spans: [SpanHeap.Span] = []
            for count in [border, 1, 3] { spans.append(try found(Self.take(&heap, count))) }
            unsafe heap.give(spans[0].address, border)
            unsafe heap.give(spans[2].address, 3)
            unsafe heap.give(spans[1].address, 1)
            _ = heap.remove(slab: 0)
            for place in 0..<4 { unsafe heap.add(Self.address(2048 + 8 * place), byteCount: 2 << 20) }
            let slabs = heap.slabs.indices.map { heap.slabs[$0].granules }.sorted { $0.lowerBound < $1.lowerBound }
            #expect(heap.free.sortedRuns() == slabs, "a border at \(border)")
        }
    }

    @Test func theHoleOfARemovedSlabIsUsedAgain() throws {
        var heap = SpanHeap()
        for place in 0..<4 { unsafe heap.add(Self.address(1024 + 8 * place), byteCount: 2 << 20) }
        let firsts = heap.slabs.indices.map { heap.slabs[$0].firstGranule }
        var spans: [SpanHeap.Span] = []
        for _ in 0..<4 { spans.append(try found(Self.take(&heap, 128))) }
        #expect(Set(spans.map(\.slab)) == [0, 1, 2, 3])
        let gone = try found(spans.first { $0.slab == 1 })
        unsafe heap.give(gone.address, 128)
        let removed = heap.remove(slab: 1)
        #expect(unsafe removed.slab.address == Self.address(1032) && removed.backedGranules == 128)
        #expect(heap.slabs.count == 3 && heap.backedGranules == 384 && heap.takenGranules == 384)
        #expect(heap.fit(1, alignment: 64) == nil)
        #expect(unsafe !heap.contains(Self.address(1032)))
        // A larger one does not fit into the hole, one as large does.
        unsafe heap.add(Self.address(2048), byteCount: 4 << 20)
        unsafe heap.add(Self.address(512), byteCount: 2 << 20)
        let numbers = heap.slabs.indices.map { heap.slabs[$0].firstGranule }
        #expect(numbers.prefix(4) == [firsts[1], firsts[0], firsts[2], firsts[3]] && numbers[4] > firsts[3])
        let span = try found(heap.fit(128, alignment: 64))
        #expect(unsafe span.address == Self.address(512))
        #expect(heap.unbackedCount(span) == 128, "a new slab is not backed")
        for span in spans where unsafe span.address != gone.address { unsafe heap.give(span.address, 128) }
        for place in heap.slabs.indices.reversed() { _ = heap.remove(slab: place) }
        #expect(heap.backedGranules == 0 && heap.takenGranules == 0)
        #expect(heap.fit(1, alignment: 64) == nil && heap.free.sortedRuns().isEmpty)
    }

    @Test func aSlabThatCannotBeNumberedIsRefused() {
        var heap = SpanHeap()
        let all = FreeRuns.maximumGranules << Granule.shift
        func hasRoom(_ byteCount: Int) -> Bool { heap.hasRoom(forSlabOf: byteCount) }
        #expect(hasRoom(1 << 40) && !hasRoom(all) && !hasRoom(1 << 47))
        #expect(hasRoom(all - (128 << Granule.shift)) && !hasRoom(all - (64 << Granule.shift)))
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        #expect(hasRoom(all - (512 << Granule.shift)) && !hasRoom(all - (256 << Granule.shift)))
        // More than any run can hold.
        for shift in 22...46 {
            for alignment in [64, 2 << 20] {
                let isFound = heap.fit(Granule.count(1 << shift), alignment: alignment) != nil
                #expect(!isFound, "2^\(shift) bytes")
            }
            let isTaken = unsafe heap.takeUsed(Granule.count(1 << shift)) != nil
            #expect(!isTaken)
        }
    }

    @Test func whatIsBackedIsCountedOnce() throws {
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        let taken = try found(Self.take(&heap, 10))
        var populated: [Range<Int>] = []
        let backed = unsafe heap.back(upTo: 20) { address, byteCount in
            let start = unsafe (address - Self.address(1024)) >> Granule.shift
            populated.append(start..<start + byteCount >> Granule.shift)
        }
        #expect(backed == 20 && populated == [10..<30])
        #expect(heap.backedGranules == 30 && heap.prewarmedGranules == 20)
        // Backed and used: no longer prewarmed.
        let used = try found(Self.take(&heap, 5))
        #expect(Self.offsets(used, in: heap) == 10..<15 && heap.backedGranules == 30 && heap.prewarmedGranules == 15)
        unsafe heap.give(used.address, 5)
        #expect(heap.prewarmedGranules == 15, "given back it is cached, not prewarmed")
        let all = unsafe heap.back(upTo: .max) { _, _ in }
        #expect(all == 98 && heap.backedGranules == 128)

        // Given back to the system: highest first, whole runs, never what is taken.
        var released: [Range<Int>] = []
        let count = unsafe heap.releaseFree(atLeast: 1) { address, byteCount in
            let start = unsafe (address - Self.address(1024)) >> Granule.shift
            released.append(start..<start + byteCount >> Granule.shift)
            return true
        }
        #expect(count == 118 && released == [10..<128])
        #expect(heap.backedGranules == 10 && heap.takenGranules == 10 && heap.prewarmedGranules == 0)
        unsafe heap.give(taken.address, 10)
        let refused = unsafe heap.releaseFree(atLeast: .max) { _, _ in false }
        #expect(refused == 0 && heap.backedGranules == 10, "what the system refuses stays counted")
    }

    @Test func releasingStopsWhenThereIsEnough() throws {
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        let spans = try (0..<8).map { _ in try found(Self.take(&heap, 16)) }
        for index in [1, 3, 5] { unsafe heap.give(spans[index].address, 16) }
        var released = unsafe heap.releaseFree(atLeast: 17) { _, _ in true }
        #expect(released == 32)
        #expect(heap.unbackedCount(spans[1]) == 0 && heap.unbackedCount(spans[3]) == 16)
        released = unsafe heap.releaseFree(atLeast: .max) { _, _ in true }
        #expect(released == 16 && heap.backedGranules == heap.takenGranules)
    }

    @Test func whatWasNeverWrittenIsKnown() throws {
        var heap = SpanHeap()
        unsafe heap.add(Self.address(1024), byteCount: 2 << 20)
        func written(_ span: SpanHeap.Span) -> [Range<Int>] {
            var runs: [Range<Int>] = []
            unsafe heap.forEachWrittenRun(span) { address, byteCount in
                let start = unsafe (address - Self.address(1024)) >> Granule.shift
                runs.append(start..<start + byteCount >> Granule.shift)
            }
            return runs
        }
        let first = try found(heap.fit(4, alignment: 64))
        heap.take(first)
        #expect(written(first).isEmpty)
        heap.markWritten(first)
        #expect(written(first) == [0..<4])
        let second = try found(Self.take(&heap, 4))
        let third = try found(Self.take(&heap, 4))
        unsafe heap.give(second.address, 4)
        _ = unsafe heap.releaseFree(atLeast: .max) { _, _ in true }
        unsafe heap.give(first.address, 4)
        unsafe heap.give(third.address, 4)
        let whole = try found(heap.fit(16, alignment: 64))
        heap.take(whole)
        #expect(written(whole) == [0..<4, 8..<12], "released pages read as zero again")
    }

    @Test func randomWorkMatchesANaiveModel() {
        var random = SeededRandom(SeededRandom.runSeed("SpanHeapTests"))
        var heap = SpanHeap()
        var live: [(address: Int, count: Int)] = []
        var slabs: [(address: Int, byteCount: Int)] = []
        for step in 0..<4000 {
            switch random.below(20) {
            case 0 where slabs.count < 6:
                let byteCount = (2 << 20) * (1 + random.below(3))
                let address = (1 + random.below(1000)) * (2 << 20)
                if slabs.contains(where: { $0.address < address + byteCount && address < $0.address + $0.byteCount }) {
                    continue
                }
                slabs.append((address, byteCount))
                unsafe heap.add(UnsafeMutableRawPointer(bitPattern: address)!, byteCount: byteCount)
            case 1:
                if let place = heap.slabs.indices.first(where: { heap.isUnused(slab: $0) }) {
                    let address = Int(bitPattern: unsafe heap.slabs[place].address)
                    _ = heap.remove(slab: place)
                    slabs.removeAll { $0.address == address }
                }
            case 3 where random.below(2) == 0:
                let count = 1 + random.below(12)
                guard let address = unsafe heap.takeUsed(count) else { continue }
                let start = Int(bitPattern: address)
                let end = start + count << Granule.shift
                let isInside = slabs.contains { $0.address <= start && end <= $0.address + $0.byteCount }
                #expect(
                    isInside && !live.contains { $0.address < end && start < $0.address + $0.count << Granule.shift })
                live.append((start, count))
            case 2: _ = unsafe heap.releaseFree(atLeast: random.below(200)) { _, _ in true }
            case 3: _ = unsafe heap.back(upTo: random.below(50)) { _, _ in }
            case 4...10 where !live.isEmpty:
                let span = live.remove(at: random.below(live.count))
                unsafe heap.give(UnsafeMutableRawPointer(bitPattern: span.address)!, span.count)
            default:
                let count = 1 + random.below(random.below(5) == 0 ? 150 : 12)
                let alignment = random.below(4) == 0 ? 1 << (6 + random.below(16)) : 64
                guard let span = heap.fit(count, alignment: alignment) else { continue }
                heap.take(span)
                heap.markWritten(span)
                let address = Int(bitPattern: unsafe span.address)
                let end = address + count << Granule.shift
                let isInside = slabs.contains { $0.address <= address && end <= $0.address + $0.byteCount }
                let overlaps = live.contains { $0.address < end && address < $0.address + $0.count << Granule.shift }
                #expect(isInside && !overlaps && address % max(alignment, Granule.byteCount) == 0, "step \(step)")
                live.append((address, count))
            }
            #expect(heap.takenGranules == live.reduce(0) { $0 + $1.count })
            let all = heap.slabs.indices.map { heap.slabs[$0] }
            for (place, slab) in all.enumerated() {
                let start = Int(bitPattern: unsafe slab.address)
                let isUsed = live.contains { $0.address >= start && $0.address < start + slab.byteCount }
                #expect(heap.isUnused(slab: place) != isUsed, "step \(step)")
            }
            #expect(all.reduce(0) { $0 + heap.backed.count(in: $1.granules) } == heap.backedGranules)
            for slab in all {
                // What takes the short way is backed, and not zero.
                let used = slab.firstGranule..<slab.usedEnd
                let isUsed =
                    used.isEmpty || (heap.backed.count(in: used) == used.count && heap.zero.count(in: used) == 0)
                #expect(isUsed, "step \(step)")
            }
            let runs = heap.free.sortedRuns()
            #expect(runs.reduce(0) { $0 + $1.count } == all.reduce(0) { $0 + $1.granuleCount } - heap.takenGranules)
            #expect(zip(runs, runs.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound }, "step \(step)")
            #expect(heap.backedGranules >= heap.takenGranules + heap.prewarmedGranules)
        }
    }
}
