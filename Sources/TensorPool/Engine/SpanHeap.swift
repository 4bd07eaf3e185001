internal import Jemalloc

/// Memory in whole granules; neighbours are joined the moment they are free.
///
/// Two bits describe a granule beside whether it is free. *Backed*: it was handed out or prewarmed since it last came from
/// the system, so the limit counts it. *Zero*: nothing was written to it since. Free, backed and zero is prewarmed; free,
/// backed and not zero is cached; free and not backed is address space that costs nothing yet. The owner holds a lock
/// around every call.
@safe struct SpanHeap: ~Copyable {
    /// A place for a tensor. Valid until the heap changes.
    @safe struct Span {
        let address: UnsafeMutableRawPointer
        let granules: Range<Int>
        let slab: Int
        /// The first granule of the free run that it is part of.
        let run: Int
    }

    private(set) var slabs = SlabTable()
    private(set) var free = FreeRuns()
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

    // MARK: - Taking and giving

    /// A free span of `count` granules whose address is a multiple of `alignment` bytes, not yet taken.
    func fit(_ count: Int, alignment: Int) -> Span? {
        // Any run this long holds an aligned one. Slabs are aligned to huge pages, and so is the greatest alignment.
        let slack = max(1, alignment / Granule.byteCount) - 1
        let found = free.find(count + slack)
        guard !found.isNone else { return nil }
        let run = found.start
        let place = slabs.place(ofGranule: run)
        let first = slabs[place].firstGranule
        let start = first + (run - first + slack) / (slack + 1) * (slack + 1)
        return unsafe Span(address: address(of: start), granules: start..<start + count, slab: place, run: run)
    }

    /// The `count` granules behind a taken span, if they are free.
    func spanBehind(_ address: UnsafeMutableRawPointer, _ taken: Int, count: Int) -> Span? {
        let place = unsafe slabs.place(of: address)
        let start = unsafe slabs[place].granule(at: address) + taken
        guard free.length(ofRunAt: start) >= count else { return nil }
        let end = unsafe address + taken << Granule.shift
        return unsafe Span(address: end, granules: start..<start + count, slab: place, run: start)
    }

    /// Granules of a span that the limit does not count yet.
    func unbackedCount(_ span: Span) -> Int {
        if span.granules.upperBound <= slabs[span.slab].usedEnd { return 0 }
        return span.granules.count - backed.count(in: span.granules)
    }

    /// Takes a span found by ``fit(_:alignment:)``.
    mutating func take(_ span: Span) {
        free.take(span.granules.lowerBound, span.granules.count, from: span.run)
        unsafe note(span.address, taken: span.granules.count)
        if span.granules.upperBound <= slabs[span.slab].usedEnd { return }
        backedGranules += unbackedCount(span)
        backed.insert(span.granules)
    }

    /// Says that a taken span will be written to. Call it after its zero granules were made use of.
    mutating func markWritten(_ span: Span) {
        let slab = slabs[span.slab]
        if span.granules.upperBound <= slab.usedEnd { return }
        zero.remove(span.granules)
        guard span.granules.lowerBound <= slab.usedEnd else { return }
        // What lies behind a hole that was given back to the system is still in use. What is not zero is backed.
        slabs.setUsedEnd(slab: span.slab, zero.first(in: span.granules.upperBound..<slab.granules.upperBound, true))
    }

    /// Takes a span of `count` granules at once where all that is found was in use before; else nil, and nothing is
    /// changed.
    @inline(__always)
    mutating func takeUsed(_ count: Int) -> UnsafeMutableRawPointer? {
        // Of no granule and a number below 0 the sum would lie below any end.
        guard RunLists.canHold(count) else { return nil }
        let lists = free.lists
        let found = lists.find(count)
        // The one slab of most heaps is at hand.
        let address: UnsafeMutableRawPointer
        if found.start &+ count <= slabs.onlyUsedEnd {
            unsafe address = slabs.onlyOrigin + found.start &<< Granule.shift
        } else {
            guard !found.isNone else { return nil }
            let place = slabs.place(ofGranule: found.start)
            guard found.start &+ count <= slabs[place].usedEnd else { return nil }
            unsafe address = slabs[place].address(of: found.start)
        }
        lists.take(count, of: found)
        unsafe note(address, taken: count)
        return unsafe address
    }

    @inline(__always)
    private mutating func note(_ address: UnsafeMutableRawPointer, taken count: Int) {
        unsafe lastTaken = unsafe address
        takenGranules &+= count
        if takenGranules > peakTakenGranules { peakTakenGranules = takenGranules }
    }

    /// Gives back `count` granules at an address that was taken.
    @inline(__always)
    mutating func give(_ address: UnsafeMutableRawPointer, _ count: Int) {
        let start = unsafe slabs.granule(at: address)
        unsafe lastTaken = nil
        takenGranules &-= count
        free.give(start, count)
    }

    /// Gives back all but the first `kept` of the `count` granules at an address.
    mutating func giveEnd(_ address: UnsafeMutableRawPointer, _ count: Int, keeping kept: Int) {
        let place = unsafe slabs.place(of: address)
        let start = unsafe slabs[place].granule(at: address)
        unsafe lastTaken = nil
        takenGranules -= count - kept
        free.giveEnd(start + kept, count - kept)
    }

    /// Starts another time for ``peakTakenGranules``.
    mutating func forgetPeak() { peakTakenGranules = takenGranules }

    /// Says that a populated run of free granules counts as memory.
    mutating func setBacked(_ granules: Range<Int>) {
        backed.insert(granules)
        backedGranules += granules.count
    }

    /// Says that the kernel was told about the pages below `end`.
    mutating func setAdvised(slab place: Int, _ end: Int) { slabs[place].advisedEnd = end }

    /// Says that free granules went back to the system, which gives them zeroed.
    mutating func setUnbacked(_ granules: Range<Int>) {
        backed.remove(granules)
        zero.insert(granules)
        let place = slabs.place(ofGranule: granules.lowerBound)
        slabs.setUsedEnd(slab: place, min(slabs[place].usedEnd, granules.lowerBound))
        backedGranules -= granules.count
    }

    /// Where a granule lies.
    func address(of granule: Int) -> UnsafeMutableRawPointer {
        let place = slabs.place(ofGranule: granule)
        return unsafe slabs[place].address(of: granule)
    }

    /// Calls `body` with each run of a taken span's granules that may hold something other than zero.
    func forEachWrittenRun(_ span: Span, _ body: (UnsafeMutableRawPointer, Int) -> Void) {
        for run in zero.runs(in: span.granules, contained: false) {
            unsafe body(address(of: run.lowerBound), run.count << Granule.shift)
        }
    }

    // MARK: - Slabs

    /// Whether a slab of so many bytes can be added.
    func hasRoom(forSlabOf byteCount: Int) -> Bool {
        let count = byteCount >> Granule.shift
        return slabs.count < SlabTable.maximumCount && count <= FreeRuns.maximumGranules
            && slabs.firstGranuleForSlab(of: count) + count < FreeRuns.maximumGranules
    }

    /// Adds a slab of zero pages. `address` is aligned to huge pages, `byteCount` a multiple of them. False, and no change,
    /// where there is no memory to describe it.
    @discardableResult mutating func add(_ address: UnsafeMutableRawPointer, byteCount: Int) -> Bool {
        let count = byteCount >> Granule.shift
        let start = slabs.firstGranuleForSlab(of: count)
        guard free.grow(to: start + count) else { return false }
        let words = (start + count + 63) / 64
        backed.grow(toWordCount: words)
        zero.grow(toWordCount: words)
        unsafe slabs.insert(Slab(address: address, firstGranule: start, granuleCount: count))
        zero.insert(start..<start + count)
        free.add(start, count)
        return true
    }

    /// Whether nothing of a slab is taken: all of it is one free run.
    func isUnused(slab place: Int) -> Bool {
        free.length(ofRunAt: slabs[place].firstGranule) == slabs[place].granuleCount
    }

    /// Takes a slab out. Nothing of it may be taken.
    mutating func remove(slab place: Int) -> (slab: Slab, backedGranules: Int) {
        guard isUnused(slab: place) else { stopProgram("a slab in use was removed") }
        let slab = slabs.remove(at: place)
        let counted = backed.count(in: slab.granules)
        free.take(slab.firstGranule, slab.granuleCount, from: slab.firstGranule)
        backed.remove(slab.granules)
        zero.remove(slab.granules)
        backedGranules -= counted
        return (slab, counted)
    }

    /// Whether the address lies in one of the slabs.
    func contains(_ address: UnsafeMutableRawPointer) -> Bool {
        slabs.indices.contains {
            unsafe slabs[$0].address <= address && address < slabs[$0].address + slabs[$0].byteCount
        }
    }
}
