/// Where a model's choices come from: a seed, or bytes that a fuzzer varies.
package struct Choices: Sendable {
    private var random: SeededRandom
    private let bytes: [UInt8]?
    private var position = 0

    /// Endless choices that follow from a seed.
    package init(seed: UInt64) {
        random = SeededRandom(seed)
        bytes = nil
    }

    /// Choices read from bytes; 0 once they are used up.
    package init(bytes: [UInt8]) {
        random = SeededRandom(UInt64(bytes.count))
        self.bytes = bytes
    }

    /// Whether all bytes are used up.
    package var isExhausted: Bool { bytes.map { position >= $0.count } ?? false }

    /// A number from 0 up to `bound`, that excluded.
    package mutating func below(_ bound: Int) -> Int {
        guard let bytes else { return random.below(bound) }
        var value = 0
        var rest = bound - 1
        while rest > 0 {
            value = value << 8 | (position < bytes.count ? Int(bytes[position]) : 0)
            position += 1
            rest >>= 8
        }
        return value % bound
    }

    /// A number that decides nothing: an id, the contents of a tensor.
    package mutating func filler() -> UInt64 { random.next() }
}
