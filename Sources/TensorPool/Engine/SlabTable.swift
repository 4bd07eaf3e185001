/// One piece of address space that an arena gave to the span heap.
@safe struct Slab {
    let address: UnsafeMutableRawPointer
    let firstGranule: Int
    let granuleCount: Int
    /// Where granule 0 would lie, were it of this slab: a granule's place is found by one addition.
    fileprivate let origin: UnsafeMutableRawPointer
    /// All granules below are backed, and none of them is zero: nothing to look up or change there.
    fileprivate(set) var usedEnd: Int

    /// About the pages of all granules below the kernel was told.
    var advisedEnd: Int

    init(address: UnsafeMutableRawPointer, firstGranule: Int, granuleCount: Int) {
        unsafe self.address = unsafe address
        self.firstGranule = firstGranule
        self.granuleCount = granuleCount
        unsafe origin = unsafe address - firstGranule << Granule.shift
        usedEnd = firstGranule
        advisedEnd = firstGranule
    }

    var granules: Range<Int> { firstGranule..<firstGranule + granuleCount }

    /// Where a granule of this slab lies.
    @inline(__always) func address(of granule: Int) -> UnsafeMutableRawPointer {
        unsafe origin + granule &<< Granule.shift
    }

    /// The granule that begins at an address in this slab.
    @inline(__always) func granule(at address: UnsafeMutableRawPointer) -> Int {
        unsafe (address - origin) &>> Granule.shift
    }

    var byteCount: Int { granuleCount << Granule.shift }
}

/// The slabs of a heap in the order of their addresses, found by address and by granule. At least one look-up in a
/// heap of one slab is a comparison; in others by granule a table, by address a search of log2(slabs) steps.
///
/// In memory of its own, not in an array: the warm path changes a slab at every call, and an array asks each time whether
/// it is shared.
@safe struct SlabTable: ~Copyable {
    /// As many as the table by granule can tell apart.
    static let maximumCount = Int(UInt16.max)

    private var slabs: UnsafeMutablePointer<Slab>
    private var capacity = 4
    private(set) var count = 0
    /// The place of the slab that each word of granules belongs to.
    private var places: UnsafeMutablePointer<UInt16>
    private var wordCount = 0

    /// Of the only slab, where its granule 0 would lie and its ``Slab/usedEnd``; of several, or none, the latter is 0.
    private(set) var onlyOrigin: UnsafeMutableRawPointer
    private(set) var onlyUsedEnd = 0

    init() {
        unsafe slabs = .allocate(capacity: capacity)
        unsafe onlyOrigin = UnsafeMutableRawPointer(slabs)
        unsafe places = .allocate(capacity: 1)
    }

    deinit {
        unsafe slabs.deallocate()
        unsafe places.deallocate()
    }

    var byteCount: Int { capacity * MemoryLayout<Slab>.stride + wordCount * MemoryLayout<UInt16>.stride }
    var indices: Range<Int> { 0..<count }

    subscript(place: Int) -> Slab {
        @inline(__always) _read { yield unsafe slabs[place] }
        @inline(__always) _modify { yield unsafe &slabs[place] }
    }

    /// Adds a slab at its place.
    mutating func insert(_ slab: Slab) {
        if count == capacity { grow() }
        let place = indices.first { unsafe slabs[$0].address > slab.address } ?? count
        unsafe (slabs + place + 1).update(from: slabs + place, count: count - place)
        unsafe slabs[place] = slab
        count += 1
        renumber()
    }

    mutating func remove(at place: Int) -> Slab {
        let slab = unsafe slabs[place]
        unsafe (slabs + place).update(from: slabs + place + 1, count: count - place - 1)
        count -= 1
        renumber()
        return slab
    }

    /// The place of the slab that has a granule.
    @inline(__always)
    func place(ofGranule granule: Int) -> Int {
        count == 1 ? 0 : unsafe Int(places[granule &>> 6])
    }

    /// The place of the slab that has an address.
    @inline(__always)
    func place(of address: UnsafeMutableRawPointer) -> Int {
        var low = 0
        var high = count
        while high &- low > 1 {
            let middle = (low &+ high) &>> 1
            if unsafe slabs[middle].address <= address { low = middle } else { high = middle }
        }
        return low
    }

    /// The granule that begins at an address.
    @inline(__always)
    func granule(at address: UnsafeMutableRawPointer) -> Int {
        if onlyUsedEnd > 0 { return unsafe (address - onlyOrigin) &>> Granule.shift }
        return unsafe slabs[place(of: address)].granule(at: address)
    }

    mutating func setUsedEnd(slab place: Int, _ end: Int) {
        unsafe slabs[place].usedEnd = end
        noteOnly()
    }

    private mutating func noteOnly() {
        onlyUsedEnd = count == 1 ? unsafe slabs[0].usedEnd : 0
        if count == 1 { unsafe onlyOrigin = unsafe slabs[0].origin }
    }

    /// The lowest granule number for a slab, one word away from every other: no run may cross two slabs. Numbers start in
    /// the second word, for 0 means none.
    func firstGranuleForSlab(of count: Int) -> Int {
        let words = (count + 63) / 64
        var start = 1
        for slab in indices.map({ self[$0] }).sorted(by: { $0.firstGranule < $1.firstGranule }) {
            if slab.firstGranule / 64 >= start + words + 1 { break }
            start = (slab.granules.upperBound + 63) / 64 + 1
        }
        return start * 64
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Slab>.allocate(capacity: 2 * capacity)
        unsafe larger.update(from: slabs, count: count)
        unsafe slabs.deallocate()
        unsafe slabs = larger
        capacity *= 2
    }

    private mutating func renumber() {
        noteOnly()
        let words = indices.map { (unsafe slabs[$0].granules.upperBound + 63) / 64 }.max() ?? 0
        if words > wordCount {
            unsafe places.deallocate()
            unsafe places = .allocate(capacity: words)
            wordCount = words
        }
        for place in indices {
            let slab = unsafe slabs[place]
            for word in slab.firstGranule / 64..<(slab.granules.upperBound + 63) / 64 {
                unsafe places[word] = UInt16(place)
            }
        }
    }
}
