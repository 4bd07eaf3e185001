/// Memory in whole granules: first fit by address within a slab, the older slabs first; neighbours are joined the moment
/// they are free.
///
/// Three bits describe a granule. *Free*: no tensor has it. *Backed*: it was handed out or prewarmed since it last
/// came from the system, so the limit counts it. *Zero*: nothing was written to it since. Free, backed and zero is
/// prewarmed; free, backed and not zero is cached; free and not backed is address space that costs nothing yet.
/// The owner holds a lock around every call.
@safe struct SpanHeap: ~Copyable {
    /// One piece of address space got from an arena.
    @safe struct Slab {
        let address: UnsafeMutableRawPointer
        let firstGranule: Int
        let granuleCount: Int
        var takenGranules = 0
        /// All granules below are backed, and none of them is zero: nothing to look up or change there.
        var usedEnd: Int

        var granules: Range<Int> { firstGranule..<firstGranule + granuleCount }
        var byteCount: Int { granuleCount << Granule.shift }
    }

    /// A place for a tensor. Valid until slabs are added or removed.
    @safe struct Span {
        let address: UnsafeMutableRawPointer
        let granules: Range<Int>
        let slab: Int
    }

    /// The most granules of a heap, 4 TiB: the bitmaps and summaries of so many take 200 MiB.
    static let maximumGranules = 1 << 28

    /// In the order of their addresses.
    private(set) var slabs: [Slab] = []
    private(set) var free = GranuleBitmap()
    private(set) var backed = GranuleSet()
    private(set) var zero = GranuleSet()
    /// Granules that tensors or thread caches have.
    private(set) var takenGranules = 0
    /// The most of them at one time since ``forgetPeak()``.
    private(set) var peakTakenGranules = 0
    /// Granules that the limit counts.
    private(set) var backedGranules = 0
    /// What was taken last, where nothing was given back since.
    private(set) var lastTaken: UnsafeMutableRawPointer?
    private var lastSlab = 0

    /// Bytes of bitmaps and summaries.
    var metadataByteCount: Int { free.byteCount + 2 * backed.wordCount * 8 + slabs.count * MemoryLayout<Slab>.stride }

    /// Free granules that are backed and known to be zero: prewarmed and not used yet.
    var prewarmedGranules: Int {
        var count = 0
        for slab in slabs {
            for word in slab.firstGranule / 64..<(slab.firstGranule + slab.granuleCount + 63) / 64 {
                count += (free[word: word] & backed[word: word] & zero[word: word]).nonzeroBitCount
            }
        }
        return count
    }

    // MARK: - Taking and giving

    /// The lowest free span of `count` granules whose address is a multiple of `alignment` bytes, not yet taken.
    mutating func lowestFit(_ count: Int, alignment: Int) -> Span? {
        guard alignment > Granule.byteCount else {
            guard let start = free.lowestRun(of: count) else { return nil }
            return span(start, count)
        }
        // Any run this long holds an aligned one. Slabs are aligned to huge pages, and so is the greatest alignment.
        let slack = alignment / Granule.byteCount - 1
        guard let start = free.lowestRun(of: count + slack) else { return nil }
        let first = slabs[slab(ofGranule: start)].firstGranule
        return span(first + (start - first + slack) / (slack + 1) * (slack + 1), count)
    }

    private func span(_ start: Int, _ count: Int) -> Span {
        let place = slab(ofGranule: start)
        let address = unsafe slabs[place].address + (start - slabs[place].firstGranule) << Granule.shift
        return unsafe Span(address: address, granules: start..<start + count, slab: place)
    }

    /// Granules of a span that the limit does not count yet.
    func unbackedCount(_ span: Span) -> Int {
        if span.granules.upperBound <= slabs[span.slab].usedEnd { return 0 }
        return span.granules.count - backed.count(in: span.granules)
    }

    /// Takes a span found by ``lowestFit(_:alignment:)``.
    mutating func take(_ span: Span) {
        unsafe lastTaken = unsafe span.address
        takenGranules += span.granules.count
        peakTakenGranules = max(peakTakenGranules, takenGranules)
        slabs[span.slab].takenGranules += span.granules.count
        free.take(span.granules)
        if span.granules.upperBound <= slabs[span.slab].usedEnd { return }
        backedGranules += unbackedCount(span)
        backed.insert(span.granules)
    }

    /// Says that a taken span will be written to. Call it after its zero granules were made use of.
    mutating func markWritten(_ span: Span) {
        let usedEnd = slabs[span.slab].usedEnd
        if span.granules.upperBound <= usedEnd { return }
        zero.remove(span.granules)
        if span.granules.lowerBound <= usedEnd { slabs[span.slab].usedEnd = span.granules.upperBound }
    }

    /// Gives back `count` granules at an address that was taken.
    mutating func give(_ address: UnsafeMutableRawPointer, _ count: Int) {
        let place = unsafe slab(of: address)
        let start = unsafe slabs[place].firstGranule + (address - slabs[place].address) >> Granule.shift
        unsafe lastTaken = nil
        slabs[place].takenGranules -= count
        takenGranules -= count
        free.give(start..<start + count)
        lastSlab = place
    }

    /// Starts another time for ``peakTakenGranules``.
    mutating func forgetPeak() { peakTakenGranules = takenGranules }

    // MARK: - Slabs

    /// Whether a slab of so many bytes can be added.
    func hasRoom(forSlabOf byteCount: Int) -> Bool {
        let count = byteCount >> Granule.shift
        return count <= Self.maximumGranules && firstGranuleForSlab(of: count) + count <= Self.maximumGranules
    }

    /// Adds a slab of zero pages. `address` is aligned to huge pages, `byteCount` a multiple of them.
    mutating func add(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        let count = byteCount >> Granule.shift
        let start = firstGranuleForSlab(of: count)
        let words = (start + count + 63) / 64
        free.grow(toWordCount: words)
        backed.grow(toWordCount: free.wordCount)
        zero.grow(toWordCount: free.wordCount)
        let place = slabs.firstIndex { unsafe $0.address > address } ?? slabs.count
        unsafe slabs.insert(Slab(address: address, firstGranule: start, granuleCount: count, usedEnd: start), at: place)
        zero.insert(start..<start + count)
        free.give(start..<start + count)
        lastSlab = place
    }

    /// Takes a slab out. Nothing of it may be taken.
    mutating func remove(slab place: Int) -> (slab: Slab, backedGranules: Int) {
        let slab = slabs.remove(at: place)
        precondition(slab.takenGranules == 0, "a slab in use was removed")
        let counted = backed.count(in: slab.granules)
        free.take(slab.granules)
        backed.remove(slab.granules)
        zero.remove(slab.granules)
        backedGranules -= counted
        lastSlab = 0
        return (slab, counted)
    }

    /// Prewarms: backs up to `count` unbacked granules, lowest first, in whole runs that `populate` makes resident.
    /// Returns how many were backed.
    mutating func back(upTo count: Int, populate: (UnsafeMutableRawPointer, Int) -> Void) -> Int {
        var done = 0
        for slab in slabs {
            var granule = slab.firstGranule
            let end = slab.granules.upperBound
            while granule < end && done < count {
                guard free.isFree(granule), !backed.contains(granule) else {
                    granule += 1
                    continue
                }
                var length = 1
                while granule + length < end, done + length < count, free.isFree(granule + length),
                    !backed.contains(granule + length)
                {
                    length += 1
                }
                unsafe populate(address(of: granule), length << Granule.shift)
                backed.insert(granule..<granule + length)
                backedGranules += length
                done += length
                granule += length
            }
        }
        return done
    }

    /// Gives the pages of free backed granules back to the system through `release`, highest addresses first, until at
    /// least `count` are released. Returns how many were.
    mutating func releaseFree(atLeast count: Int, release: (UnsafeMutableRawPointer, Int) -> Bool) -> Int {
        var released = 0
        for place in slabs.indices.reversed() {
            let slab = slabs[place]
            var end = slab.granules.upperBound
            let first = slab.firstGranule
            while end > first && released < count {
                guard free.isFree(end - 1), backed.contains(end - 1) else {
                    end -= 1
                    continue
                }
                var start = end - 1
                while start > first, free.isFree(start - 1), backed.contains(start - 1) { start -= 1 }
                if unsafe release(address(of: start), (end - start) << Granule.shift) {
                    backed.remove(start..<end)
                    zero.insert(start..<end)
                    slabs[place].usedEnd = min(slabs[place].usedEnd, start)
                    backedGranules -= end - start
                    released += end - start
                }
                end = start
            }
        }
        return released
    }

    /// Calls `body` with each run of a taken span's granules that may hold something other than zero.
    func forEachWrittenRun(_ span: Span, _ body: (UnsafeMutableRawPointer, Int) -> Void) {
        var granule = span.granules.lowerBound
        let end = span.granules.upperBound
        while granule < end {
            if zero.contains(granule) {
                granule += 1
                continue
            }
            var length = 1
            while granule + length < end, !zero.contains(granule + length) { length += 1 }
            unsafe body(address(of: granule), length << Granule.shift)
            granule += length
        }
    }

    /// Where a granule lies.
    func address(of granule: Int) -> UnsafeMutableRawPointer {
        let slab = slabs[slab(ofGranule: granule)]
        return unsafe slab.address + (granule - slab.firstGranule) << Granule.shift
    }

    /// Whether the address lies in one of the slabs.
    func contains(_ address: UnsafeMutableRawPointer) -> Bool {
        slabs.contains { unsafe $0.address <= address && address < $0.address + $0.byteCount }
    }

    private func slab(ofGranule granule: Int) -> Int {
        if slabs[lastSlab].granules.contains(granule) { return lastSlab }
        guard let place = slabs.firstIndex(where: { $0.granules.contains(granule) }) else {
            preconditionFailure("a granule of no slab")
        }
        return place
    }

    private func slab(of address: UnsafeMutableRawPointer) -> Int {
        let last = slabs[lastSlab]
        if unsafe last.address <= address && address < last.address + last.byteCount { return lastSlab }
        var low = 0
        var high = slabs.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if unsafe slabs[middle].address <= address { low = middle } else { high = middle }
        }
        return low
    }

    /// The lowest whole words that no slab uses, one word away from every other slab: no run may cross two slabs.
    private func firstGranuleForSlab(of count: Int) -> Int {
        let words = (count + 63) / 64
        var start = 0
        for slab in slabs.sorted(by: { $0.firstGranule < $1.firstGranule }) {
            if slab.firstGranule / 64 >= start + words + 1 { break }
            start = (slab.granules.upperBound + 63) / 64 + 1
        }
        return start * 64
    }
}
