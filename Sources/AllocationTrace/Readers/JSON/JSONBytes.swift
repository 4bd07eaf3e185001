/// The loops of the scanner, over what is in its buffer.
enum JSONBytes {
    /// How much white space there is, and the byte behind it if it is there.
    static func whiteSpace(_ bytes: Span<UInt8>) -> (length: Int, next: UInt8?) {
        for index in bytes.indices where bytes[index] > UInt8(ascii: " ") { return (index, bytes[index]) }
        return (bytes.count, nil)
    }

    /// Moves on to a string's closing quote, or else to the end: one byte beyond it where that belongs to an escape.
    static func stringEnd(_ bytes: Span<UInt8>, _ position: inout Int, _ hasEscapes: inout Bool) -> Bool {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
            }
            position += 1
        }
        return false
    }

    /// Moves on to the end of a number or word.
    static func scalarEnd(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
        while position < bytes.count {
            if endsScalar(bytes[position]) { return true }
            position += 1
        }
        return false
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte <= UInt8(ascii: " ") || byte == UInt8(ascii: ",") || byte | 0x20 == UInt8(ascii: "}")
            || byte | 0x20 == UInt8(ascii: "{") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ":")
    }

    /// Why passing over nested values stops.
    enum SkipStop {
        case endOfBytes
        /// Behind the last closing bracket.
        case done
        /// Behind the quote that opens a string with an escape in it, or one that does not end here.
        case string
        case tooDeep
        /// At a closing bracket of the wrong kind.
        case mismatch
    }

    /// Moves on as far as the brackets that are open, or the bytes, go.
    static func skip(_ bytes: Span<UInt8>, _ position: inout Int, _ nesting: inout BracketStack) -> SkipStop {
        var index = position
        defer { position = index }
        let end = bytes.count
        while index < end {
            let byte = bytes[index]
            // Square and curly brackets differ in this bit alone.
            let folded = byte | 0x20
            index += 1
            if byte == UInt8(ascii: "\"") {
                // Most strings have no escape and end within the buffer: found here, without leaving the loop.
                var last = index
                while last < end, bytes[last] != UInt8(ascii: "\""), bytes[last] != UInt8(ascii: "\\") { last += 1 }
                guard last < end, bytes[last] == UInt8(ascii: "\"") else { return .string }
                index = last + 1
            } else if folded == UInt8(ascii: "{") {
                guard nesting.push(isObject: byte == folded) else { return .tooDeep }
            } else if folded == UInt8(ascii: "}") {
                guard nesting.pop(isObject: byte == folded) else {
                    index -= 1
                    return .mismatch
                }
                if nesting.isEmpty { return .done }
            }
        }
        return .endOfBytes
    }
}

/// Which brackets are open.
struct BracketStack {
    /// Brackets within brackets. Profiles have about five.
    static let maximumDepth = 512

    private var depth = 0
    /// A bit for each, set for an object's.
    private var bits = InlineArray<8, UInt64>(repeating: 0)

    init(isObject: Bool) {
        _ = push(isObject: isObject)
    }

    var isEmpty: Bool { depth == 0 }

    /// False where there is no room.
    mutating func push(isObject: Bool) -> Bool {
        guard depth < Self.maximumDepth else { return false }
        let mask: UInt64 = 1 << UInt64(depth & 63)
        if isObject { bits[depth >> 6] |= mask } else { bits[depth >> 6] &= ~mask }
        depth += 1
        return true
    }

    /// False where another kind of bracket is open. At least one has to be.
    mutating func pop(isObject: Bool) -> Bool {
        depth -= 1
        return (bits[depth >> 6] >> UInt64(depth & 63) & 1 == 1) == isObject
    }
}
