/// Which granules are free: one bit each, and above the bits upper bounds of how long a run begins where, so that the
/// lowest run of a length is found without reading the bits of places that cannot have it.
///
///     region bounds    [   longest run that begins in this 1 GiB, at most   ]   64 groups each
///     group bounds     [ in 16 MiB, at most ][ in 16 MiB, at most ][  ...   ]   16 words each
///     word bounds      [ in 1 MiB ][ in 1 MiB ][ in 1 MiB ][ in 1 MiB ][ ...]   64 granules each
///     words            1 bit a granule
///
/// A bound is only ever too high. Taking granules leaves it as it is. Giving some back lifts it to "anything", which is
/// a store a level. A search that reads a word and finds nothing there lowers its bound: so every fruitless read is paid
/// for by an earlier give. Freed granules need no coalescing: neighbours are neighbouring bits. (Go's page allocator
/// keeps exact summaries in a tree instead, `runtime/mpagealloc.go`; that was measured here at several times the
/// instructions a call.)
@safe struct GranuleBitmap: ~Copyable {
    /// Words of a group and groups of a region, as shifts.
    private static let groupShift = 4
    private static let regionShift = 6
    /// The bounds of places where a run of any length may begin. A run longer than the word or group it begins in is not
    /// told apart from that.
    private static let anything = UInt8.max
    private static let anythingInGroup = UInt16.max
    /// Granules of a group.
    private static let groupLength = 64 << groupShift

    private var words: UnsafeMutablePointer<UInt64>
    private var wordBounds: UnsafeMutablePointer<UInt8>
    private var groupBounds: UnsafeMutablePointer<UInt16>
    private var regionBounds: UnsafeMutablePointer<UInt16>
    /// A power of two, whole groups.
    private(set) var wordCount: Int

    private var groupCount: Int { wordCount >> Self.groupShift }
    private var regionCount: Int { (groupCount + (1 << Self.regionShift) - 1) >> Self.regionShift }

    init(wordCount: Int = 256) {
        precondition(wordCount.nonzeroBitCount == 1 && wordCount >= 1 << Self.groupShift)
        self.wordCount = wordCount
        unsafe words = .allocate(capacity: wordCount)
        unsafe words.initialize(repeating: 0, count: wordCount)
        unsafe wordBounds = .allocate(capacity: wordCount)
        unsafe wordBounds.initialize(repeating: 0, count: wordCount)
        let groups = wordCount >> Self.groupShift
        unsafe groupBounds = .allocate(capacity: groups)
        unsafe groupBounds.initialize(repeating: 0, count: groups)
        let regions = (groups + (1 << Self.regionShift) - 1) >> Self.regionShift
        unsafe regionBounds = .allocate(capacity: regions)
        unsafe regionBounds.initialize(repeating: 0, count: regions)
    }

    deinit {
        unsafe words.deallocate()
        unsafe wordBounds.deallocate()
        unsafe groupBounds.deallocate()
        unsafe regionBounds.deallocate()
    }

    /// Bytes of the bits and bounds.
    var byteCount: Int { wordCount * 9 + 2 * (groupCount + regionCount) }

    /// Doubles the number of words until it is at least `needed`.
    mutating func grow(toWordCount needed: Int) {
        guard needed > wordCount else { return }
        let larger = GranuleBitmap(wordCount: 1 << (Int.bitWidth - (needed - 1).leadingZeroBitCount))
        unsafe larger.words.update(from: words, count: wordCount)
        unsafe larger.wordBounds.update(repeating: Self.anything, count: larger.wordCount)
        unsafe larger.groupBounds.update(repeating: Self.anythingInGroup, count: larger.groupCount)
        unsafe larger.regionBounds.update(repeating: Self.anythingInGroup, count: larger.regionCount)
        self = larger
    }

    // MARK: - Bits

    /// Whether the granule is free.
    func isFree(_ granule: Int) -> Bool { unsafe words[granule / 64] >> UInt64(granule % 64) & 1 == 1 }

    /// The bits of one word.
    subscript(word index: Int) -> UInt64 { unsafe words[index] }

    /// Marks granules as taken.
    @inline(__always)
    mutating func take(_ range: Range<Int>) { unsafe words.clear(range) }

    /// Marks granules as free.
    @inline(__always)
    mutating func give(_ range: Range<Int>) {
        unsafe words.set(range)
        var first = range.lowerBound / 64
        let last = (range.upperBound - 1) / 64
        // The run that the range is part of now may begin in the word or group before. Not further down: it would be
        // longer than that then, and have been so already, and the bound of such a run is "anything".
        var group = first >> Self.groupShift
        if first > 0, unsafe words[first - 1] >> 63 == 1 { first -= 1 }
        for word in first...last { unsafe wordBounds[word] = Self.anything }
        if group > 0, unsafe words[(group << Self.groupShift) - 1] >> 63 == 1 { group -= 1 }
        for group in group...last >> Self.groupShift {
            unsafe groupBounds[group] = Self.anythingInGroup
            unsafe regionBounds[group >> Self.regionShift] = Self.anythingInGroup
        }
    }

    // MARK: - Search

    /// The first granule of the lowest free run of at least `count`, or nil. Lowers the bounds it finds too high.
    mutating func lowestRun(of count: Int) -> Int? {
        guard count > 0 else { return nil }
        let wanted = count > Self.groupLength ? Self.anythingInGroup : UInt16(truncatingIfNeeded: count)
        for region in 0..<regionCount where unsafe regionBounds[region] >= wanted {
            var longest: UInt16 = 0
            for group in region << Self.regionShift..<min(groupCount, (region + 1) << Self.regionShift) {
                if unsafe groupBounds[group] >= wanted, let granule = search(group, count) { return granule }
                longest = unsafe max(longest, groupBounds[group])
            }
            unsafe regionBounds[region] = longest
        }
        return nil
    }

    /// The lowest run of `count` that begins in a group; it may end in a later one. Nil, and lower bounds, where there
    /// is none.
    @inline(__always)
    private mutating func search(_ group: Int, _ count: Int) -> Int? {
        let wanted = count > 64 ? Self.anything : UInt8(truncatingIfNeeded: count)
        var longest = 0
        for index in group << Self.groupShift..<(group + 1) << Self.groupShift {
            let bound = unsafe wordBounds[index]
            if bound < wanted {
                longest = max(longest, Int(bound))
                continue
            }
            let word = unsafe words[index]
            if count <= 64 {
                let start = word.lowestRun(of: count)
                if start < 64 { return index &* 64 &+ start }
            }
            // What begins in the word and does not end there.
            var run = (~word).leadingZeroBitCount
            var next = index &+ 1
            while run > 0 && run < count && next < wordCount {
                let rest = (unsafe ~words[next]).trailingZeroBitCount
                run &+= rest
                if rest < 64 { break }
                next &+= 1
            }
            if run >= count { return (index &+ 1) &* 64 &- (~word).leadingZeroBitCount }
            // All runs that begin here are shorter than what was wanted.
            run = max(run, word == 0 ? 0 : min(count &- 1, 62))
            unsafe wordBounds[index] = run > 64 ? Self.anything : UInt8(truncatingIfNeeded: run)
            longest = max(longest, run)
        }
        unsafe groupBounds[group] =
            longest > Self.groupLength ? Self.anythingInGroup : UInt16(truncatingIfNeeded: longest)
        return nil
    }
}
