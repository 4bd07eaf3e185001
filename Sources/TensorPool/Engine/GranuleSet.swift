/// One bit a granule.
@safe struct GranuleSet: ~Copyable {
    private var words: UnsafeMutablePointer<UInt64>
    private(set) var wordCount: Int

    init(wordCount: Int = 16) {
        self.wordCount = wordCount
        unsafe words = .allocate(capacity: wordCount)
        unsafe words.initialize(repeating: 0, count: wordCount)
    }

    deinit { unsafe words.deallocate() }

    mutating func grow(toWordCount needed: Int) {
        guard needed > wordCount else { return }
        let larger = GranuleSet(wordCount: needed)
        unsafe larger.words.update(from: words, count: wordCount)
        self = larger
    }

    mutating func insert(_ range: Range<Int>) { unsafe words.set(range) }
    mutating func remove(_ range: Range<Int>) { unsafe words.clear(range) }
    func count(in range: Range<Int>) -> Int { unsafe words.countOfSet(range) }
    func contains(_ granule: Int) -> Bool { unsafe words[granule / 64] >> UInt64(granule % 64) & 1 == 1 }
    subscript(word index: Int) -> UInt64 { unsafe words[index] }

    /// The lowest run of granules of `range` that are in the set or, if not `contained`, that are not.
    func firstRun(in range: Range<Int>, contained: Bool) -> Range<Int>? {
        let start = first(in: range, contained)
        guard start < range.upperBound else { return nil }
        return start..<first(in: start..<range.upperBound, !contained)
    }

    /// All such runs, by address.
    func runs(in range: Range<Int>, contained: Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var rest = range
        while let run = firstRun(in: rest, contained: contained) {
            runs.append(run)
            rest = run.upperBound..<range.upperBound
        }
        return runs
    }

    /// The lowest granule of `range` that is in the set, or is not; the range's end where there is none.
    func first(in range: Range<Int>, _ contained: Bool) -> Int {
        guard !range.isEmpty else { return range.upperBound }
        var index = range.lowerBound / 64
        var mask = UInt64.max << UInt64(range.lowerBound % 64)
        while index * 64 < range.upperBound {
            let word = (unsafe contained ? words[index] : ~words[index]) & mask
            if word != 0 { return min(range.upperBound, index * 64 + word.trailingZeroBitCount) }
            mask = .max
            index += 1
        }
        return range.upperBound
    }
}
