/// Which granules are free: one bit each, and above the bits a binary tree of summaries, so that the lowest run of a
/// length is found, and a run taken or given back, in time that grows with the logarithm of the heap.
///
///                      [first, last, longest]             one node for the whole heap
///                     /                      \
///             [first, last, longest]   [first, last, longest]
///                /          \             /          \
///            64 granules  64 granules  64 granules  64 granules     one word each: 1 MiB
///
/// A node says of its part of the heap: how many free granules it begins with, how many it ends with, and the longest
/// free run within. Go's page allocator keeps the same three numbers (`runtime/mpagealloc.go`), in a wider tree.
/// Freed granules need no coalescing: neighbours are neighbouring bits.
@safe struct GranuleBitmap: ~Copyable {
    private struct Summary: Equatable {
        var first: Int32
        var last: Int32
        var longest: Int32

        static let none = Summary(first: 0, last: 0, longest: 0)

        /// The summary of two neighbours of `length` granules each.
        @inline(__always)
        static func joining(_ left: Summary, _ right: Summary, length: Int32) -> Summary {
            Summary(
                first: left.first == length ? length &+ right.first : left.first,
                last: right.last == length ? length &+ left.last : right.last,
                longest: max(max(left.longest, right.longest), left.last &+ right.first))
        }

        @inline(__always)
        static func of(_ word: UInt64) -> Summary {
            if word == 0 { return .none }
            if word == .max { return Summary(first: 64, last: 64, longest: 64) }
            return Summary(
                first: Int32(truncatingIfNeeded: (~word).trailingZeroBitCount),
                last: Int32(truncatingIfNeeded: (~word).leadingZeroBitCount),
                longest: Int32(truncatingIfNeeded: word.longestRun))
        }
    }

    private var words: UnsafeMutablePointer<UInt64>
    /// Node 1 is the root, node i has the children 2i and 2i+1, the leaves are the words from `wordCount` on.
    private var nodes: UnsafeMutablePointer<Summary>
    /// A power of two.
    private(set) var wordCount: Int

    init(wordCount: Int = 256) {
        precondition(wordCount.nonzeroBitCount == 1)
        self.wordCount = wordCount
        unsafe words = .allocate(capacity: wordCount)
        unsafe words.initialize(repeating: 0, count: wordCount)
        unsafe nodes = .allocate(capacity: 2 * wordCount)
        unsafe nodes.initialize(repeating: .none, count: 2 * wordCount)
    }

    deinit {
        unsafe words.deallocate()
        unsafe nodes.deallocate()
    }

    /// Bytes of the bits and summaries.
    var byteCount: Int { wordCount * (MemoryLayout<UInt64>.stride + 2 * MemoryLayout<Summary>.stride) }

    /// The length of the longest free run.
    var longestRun: Int { Int(unsafe nodes[1].longest) }

    /// Doubles the number of words until it is at least `needed`.
    mutating func grow(toWordCount needed: Int) {
        guard needed > wordCount else { return }
        var larger = GranuleBitmap(wordCount: 1 << (Int.bitWidth - (needed - 1).leadingZeroBitCount))
        unsafe larger.words.update(from: words, count: wordCount)
        larger.summarize(words: 0..<wordCount)
        self = larger
    }

    /// The first granule of the lowest free run of at least `count`, or nil.
    func lowestRun(of count: Int) -> Int? {
        let wanted = Int32(clamping: count)
        guard unsafe nodes[1].longest >= wanted, count > 0 else { return nil }
        var node = 1
        var start = 0
        var length = wordCount * 64
        while node < wordCount {
            length /= 2
            let left = unsafe nodes[2 * node]
            if left.longest >= wanted {
                node = 2 * node
            } else if unsafe left.last &+ nodes[2 * node + 1].first >= wanted {
                return start + length - Int(left.last)
            } else {
                node = 2 * node + 1
                start += length
            }
        }
        return start + (unsafe words[node - wordCount]).lowestRun(of: count)
    }

    /// The length of the free run that begins at `granule`, counted no further than `limit`.
    func runLength(from granule: Int, limit: Int) -> Int {
        var position = granule
        let end = min(granule + limit, wordCount * 64)
        while position < end {
            let rest = unsafe ~words[position / 64] >> UInt64(position % 64)
            let step = min(rest.trailingZeroBitCount, 64 - position % 64)
            position += step
            if position % 64 != 0 || step == 0 { break }
        }
        return min(position, end) - granule
    }

    /// Whether the granule is free.
    func isFree(_ granule: Int) -> Bool { unsafe words[granule / 64] >> UInt64(granule % 64) & 1 == 1 }

    /// The bits of one word.
    subscript(word index: Int) -> UInt64 { unsafe words[index] }

    /// Marks granules as taken.
    mutating func take(_ range: Range<Int>) {
        unsafe words.clear(range)
        summarize(words: range.lowerBound / 64..<(range.upperBound - 1) / 64 + 1)
    }

    /// Marks granules as free.
    mutating func give(_ range: Range<Int>) {
        unsafe words.set(range)
        summarize(words: range.lowerBound / 64..<(range.upperBound - 1) / 64 + 1)
    }

    /// Brings the summaries above changed words up to date, and stops where nothing changes any more.
    private mutating func summarize(words range: Range<Int>) {
        for index in range {
            unsafe nodes[wordCount + index] = .of(words[index])
        }
        var low = (wordCount + range.lowerBound) / 2
        var high = (wordCount + range.upperBound - 1) / 2
        var length: Int32 = 64
        while low >= 1 {
            var changed = false
            for node in low...high {
                let joined = unsafe Summary.joining(nodes[2 * node], nodes[2 * node + 1], length: length)
                changed = unsafe changed || joined != nodes[node]
                unsafe nodes[node] = joined
            }
            if !changed { return }
            low /= 2
            high /= 2
            length &*= 2
        }
    }
}
