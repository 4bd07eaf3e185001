/// One bit a granule, without bounds.
@safe struct GranuleSet: ~Copyable {
    private var words: UnsafeMutablePointer<UInt64>
    private(set) var wordCount: Int

    init(wordCount: Int = 256) {
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
}
