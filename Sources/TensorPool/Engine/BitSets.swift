extension UnsafeMutablePointer where Pointee == UInt64 {
    /// Calls `body` with each word that the bit range touches and the mask of its bits within.
    @inline(__always)
    private func forEachWord(_ range: Range<Int>, _ body: (UnsafeMutablePointer<UInt64>, UInt64) -> Void) {
        var index = range.lowerBound / 64
        let last = (range.upperBound - 1) / 64
        var mask = UInt64.max << UInt64(range.lowerBound % 64)
        while index <= last {
            if index == last { mask &= .max >> UInt64(63 - (range.upperBound - 1) % 64) }
            unsafe body(self + index, mask)
            mask = .max
            index += 1
        }
    }

    func set(_ range: Range<Int>) { unsafe forEachWord(range) { word, mask in unsafe word.pointee |= mask } }

    func clear(_ range: Range<Int>) { unsafe forEachWord(range) { word, mask in unsafe word.pointee &= ~mask } }

    /// How many bits of the range are set.
    func countOfSet(_ range: Range<Int>) -> Int {
        var count = 0
        unsafe forEachWord(range) { word, mask in count += unsafe (word.pointee & mask).nonzeroBitCount }
        return count
    }
}
