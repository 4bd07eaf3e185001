/// Which granules are free: one bit each, and above the bits upper bounds of how long a run begins where, so that the
/// lowest run of a length is found without reading the bits of places that cannot have it.
///
///     bounds of regions    [    longest run that begins in this 1 GiB, at most     ]   64 groups each
///     bounds of groups     [ in 16 MiB, at most ][ in 16 MiB, at most ][    ...    ]   16 words each
///     words                1 bit a granule, 64 granules (1 MiB) a word
///
/// A bound is only ever too high. Taking granules leaves it as it is. Giving some back lifts it to "anything", which is
/// one store. A search that reads a group and finds nothing knows how long its runs really are, and lowers the bound:
/// so every fruitless read is paid for by an earlier give. Freed granules need no coalescing: neighbours are
/// neighbouring bits. (Go's page allocator keeps exact summaries instead, `runtime/mpagealloc.go`; a tree of those
/// was measured here at ten times the instructions per call.)
@safe struct GranuleBitmap: ~Copyable {
    private static let groupShift = 4
    private static let regionShift = 6
    /// Granules of a group.
    private static let groupLength = 64 << groupShift
    /// The bound of a place that may have a run of any length. One longer than a group is not told apart.
    private static let anything = UInt16.max

    private var words: UnsafeMutablePointer<UInt64>
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
        let groups = wordCount >> Self.groupShift
        let regions = (groups + (1 << Self.regionShift) - 1) >> Self.regionShift
        unsafe groupBounds = .allocate(capacity: groups)
        unsafe groupBounds.initialize(repeating: 0, count: groups)
        unsafe regionBounds = .allocate(capacity: regions)
        unsafe regionBounds.initialize(repeating: 0, count: regions)
    }

    deinit {
        unsafe words.deallocate()
        unsafe groupBounds.deallocate()
        unsafe regionBounds.deallocate()
    }

    /// Bytes of the bits and bounds.
    var byteCount: Int { wordCount * 8 + (groupCount + regionCount) * 2 }

    /// Doubles the number of words until it is at least `needed`.
    mutating func grow(toWordCount needed: Int) {
        guard needed > wordCount else { return }
        let larger = GranuleBitmap(wordCount: 1 << (Int.bitWidth - (needed - 1).leadingZeroBitCount))
        unsafe larger.words.update(from: words, count: wordCount)
        unsafe larger.groupBounds.update(repeating: Self.anything, count: larger.groupCount)
        unsafe larger.regionBounds.update(repeating: Self.anything, count: larger.regionCount)
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
        let first = range.lowerBound / Self.groupLength
        for group in first...(range.upperBound - 1) / Self.groupLength { lift(group) }
        // The run that the range is part of now may begin in the group before. Not further down: it would be longer
        // than a group then, and have been so already, and the bound of such a run is "anything".
        if first > 0, isFree(first * Self.groupLength - 1) { lift(first - 1) }
    }

    @inline(__always)
    private mutating func lift(_ group: Int) {
        unsafe groupBounds[group] = Self.anything
        unsafe regionBounds[group >> Self.regionShift] = Self.anything
    }

    // MARK: - Search

    /// The first granule of the lowest free run of at least `count`, or nil. Lowers the bounds it finds too high.
    mutating func lowestRun(of count: Int) -> Int? {
        guard count > 0 else { return nil }
        let wanted = UInt16(clamping: count)
        for region in 0..<regionCount where unsafe regionBounds[region] >= wanted {
            let groups = region << Self.regionShift..<min(groupCount, (region + 1) << Self.regionShift)
            var longest: UInt16 = 0
            for group in groups {
                if unsafe groupBounds[group] >= wanted {
                    switch search(group, count) {
                    case .found(let granule): return granule
                    case .longest(let length):
                        unsafe groupBounds[group] = length > Self.groupLength ? Self.anything : UInt16(length)
                    }
                }
                longest = unsafe max(longest, groupBounds[group])
            }
            unsafe regionBounds[region] = longest
        }
        return nil
    }

    private enum Finding {
        case found(Int)
        /// There is none; the runs that begin in the group are at most this long.
        case longest(Int)
    }

    /// Looks for a run that begins in a group. It may end in a later one.
    @inline(__always)
    private func search(_ group: Int, _ count: Int) -> Finding {
        let end = (group + 1) << Self.groupShift
        var longest = 0
        var run = 0
        var index = group << Self.groupShift
        while index < wordCount {
            let word = unsafe words[index]
            if word == 0 {
                longest = max(longest, run)
                run = 0
            } else if word == .max {
                run &+= 64
                if run >= count { return .found((index &+ 1) &* 64 &- run) }
            } else {
                // The run so far ends in this word.
                let prefix = (~word).trailingZeroBitCount
                run &+= prefix
                if run >= count { return .found(index &* 64 &+ prefix &- run) }
                longest = max(longest, run)
                if index >= end { break }
                // Runs inside the word: found, or shorter than what was wanted.
                if count < 63 {
                    let start = word.lowestRun(of: count)
                    if start < 64 { return .found(index &* 64 &+ start) }
                }
                longest = max(longest, min(count &- 1, 62))
                run = (~word).leadingZeroBitCount
            }
            index &+= 1
            if index >= end && run == 0 { break }
        }
        // The last run ended with the bitmap.
        if run >= count { return .found(index &* 64 &- run) }
        return .longest(max(longest, run))
    }
}
