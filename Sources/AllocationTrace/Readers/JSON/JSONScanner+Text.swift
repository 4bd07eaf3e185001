extension JSONScanner {
    /// Whether a string is that text, its escapes resolved.
    func isEqual(_ token: Token, to text: StaticString) -> Bool {
        if token.isTooLong { return false }
        if token.hasEscapes { return unescaped(token).span.isEqual(to: text) }
        return input.buffer.span.extracting(token.bytes).isEqual(to: text)
    }

    /// A string's bytes with the escapes resolved. What is no valid escape stays as it is.
    func unescaped(_ token: Token) -> [UInt8] {
        let bytes = input.buffer.span.extracting(token.bytes)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else {
                text.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index + 1] == UInt8(ascii: "u") {
                let (scalar, length) = Self.unicodeEscape(bytes, at: index)
                text.append(contentsOf: Array(String(scalar).utf8))
                index += length
            } else {
                text.append(Self.escaped(bytes[index + 1]))
                index += 2
            }
        }
        return text
    }

    private static func escaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): UInt8(ascii: "\n")
        case UInt8(ascii: "t"): UInt8(ascii: "\t")
        case UInt8(ascii: "r"): UInt8(ascii: "\r")
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        default: byte
        }
    }

    /// The character of `\uXXXX`, or of two of them that are surrogates, and how many bytes they take.
    private static func unicodeEscape(_ bytes: Span<UInt8>, at index: Int) -> (Unicode.Scalar, length: Int) {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        guard let first = codeUnit(bytes, at: index) else { return (replacement, 2) }
        if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
        guard first < 0xDC00, let second = codeUnit(bytes, at: index + 6), (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { return (replacement, 6) }
        return (scalar, 12)
    }

    private static func codeUnit(_ bytes: Span<UInt8>, at index: Int) -> UInt32? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt32 = 0
        for offset in 2..<6 {
            guard let digit = bytes[index + offset].hexadecimalDigit else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
