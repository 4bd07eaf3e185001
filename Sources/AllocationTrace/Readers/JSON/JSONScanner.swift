/// Walks through JSON of any length in memory of fixed size, without building anything.
///
/// It checks what it needs to stay in step (quotes, brackets and their nesting) and no more: what is passed over may
/// hold anything that other tools accept.
struct JSONScanner: ~Copyable {
    /// Why scanning cannot go on.
    enum Stop: Error {
        /// The input ends within a value.
        case endOfInput
        case problem(TraceReadError.Problem)
    }

    /// A string's or number's bytes in the buffer. Valid until the scanner is used again.
    struct Token {
        let bytes: Range<Int>
        /// Whether the string holds a backslash.
        var hasEscapes = false
        /// Whether the string did not fit, and its bytes are not here.
        var isTooLong = false
    }

    /// A longer string is passed over. Nothing that matters in a trace is as long.
    static let maximumTokenLength = 1024

    var input: TraceInput

    init(_ input: consuming TraceInput) {
        self.input = input
    }

    /// The next byte that is not white space, not taken yet; nil at the end.
    @inline(__always) mutating func peek() throws(Stop) -> UInt8? {
        // Compact JSON has no white space: most calls end here.
        let first = input.unread.lowerBound
        if first < input.unread.upperBound, input.buffer[first] > UInt8(ascii: " ") { return input.buffer[first] }
        return try peekBehindWhiteSpace()
    }

    private mutating func peekBehindWhiteSpace() throws(Stop) -> UInt8? {
        while true {
            let (length, byte) = JSONBytes.whiteSpace(input.unreadSpan)
            input.take(length)
            if let byte { return byte }
            guard try fill() else { return nil }
        }
    }

    /// Takes the next byte that is not white space if it is that one.
    mutating func take(_ byte: UInt8) throws(Stop) -> Bool {
        guard try peek() == byte else { return false }
        input.take(1)
        return true
    }

    /// Takes that byte, or stops with a problem.
    mutating func expect(_ byte: UInt8, _ name: String) throws(Stop) {
        guard let found = try peek() else { throw .endOfInput }
        guard found == byte else { throw problem(expected: name) }
        input.take(1)
    }

    /// A problem at the next byte.
    mutating func problem(expected: String) -> Stop {
        let end = min(input.unread.upperBound, input.unread.lowerBound + 40)
        let found = input.buffer.span.extracting(input.unread.lowerBound..<end).quoted(limit: 30)
        return .problem(.malformed(expected: expected, found: found))
    }

    /// Takes a string. The next byte that is not white space has to be its opening quote.
    mutating func string() throws(Stop) -> Token {
        try expect(UInt8(ascii: "\""), "a string")
        // What has been looked at, from the start of what is unread: so it stays right when the buffer is refilled.
        var length = 0
        var hasEscapes = false
        while true {
            if JSONBytes.stringEnd(input.unreadSpan, &length, &hasEscapes) {
                let start = input.unread.lowerBound
                input.take(length + 1)
                return Token(bytes: start..<(start + length), hasEscapes: hasEscapes)
            }
            if length > Self.maximumTokenLength { return try passOver(length) }
            guard try fill() else { throw .endOfInput }
        }
    }

    /// Gives up on a string that is too long, of which `length` bytes have been looked at.
    private mutating func passOver(_ length: Int) throws(Stop) -> Token {
        // One byte more than is there where an escape goes on beyond it.
        let reach = max(0, length - input.unread.count)
        input.take(length - reach)
        if reach > 0, try !fill() { throw .endOfInput }
        input.take(reach)
        try skipStringRest()
        return Token(bytes: 0..<0, isTooLong: true)
    }

    /// Takes a number, `true`, `false`, `null`, or whatever else stands where a value is expected and is no string,
    /// object or array. Empty where there is nothing.
    mutating func scalar() throws(Stop) -> Token {
        guard try peek() != nil else { throw .endOfInput }
        var length = 0
        while true {
            if JSONBytes.scalarEnd(input.unreadSpan, &length) {
                let start = input.unread.lowerBound
                input.take(length)
                return Token(bytes: start..<(start + length))
            }
            guard length <= Self.maximumTokenLength else { throw problem(expected: "a value") }
            guard try fill() else { throw .endOfInput }
        }
    }

    /// Reads on; false at the end.
    mutating func fill() throws(Stop) -> Bool {
        do throws(TraceReadError.Problem) {
            return try input.fill()
        } catch {
            throw .problem(error)
        }
    }
}
