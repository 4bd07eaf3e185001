extension [UInt8] {
    mutating func append(_ text: StaticString) {
        // The text's bytes are there for as long as the program runs.
        for index in 0..<text.utf8CodeUnitCount { unsafe append(text.utf8Start[index]) }
    }

    mutating func append(decimal value: some BinaryInteger, digits: Int = 1) {
        appendDigits(of: UInt64(value.magnitude), radix: 10, atLeast: digits, isNegative: value < 0)
    }

    mutating func append(hexadecimal value: UInt64) {
        appendDigits(of: value, radix: 16, atLeast: 1, isNegative: false)
    }

    /// A text as JSON has it, with its quotes.
    mutating func append(json text: String) {
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0..<0x20:
                append("\\u00")
                append(byte < 16 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                append(hexadecimal: UInt64(byte & 15))
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func appendDigits(of value: UInt64, radix: UInt64, atLeast digits: Int, isNegative: Bool) {
        if isNegative { append(UInt8(ascii: "-")) }
        let start = count
        var rest = value
        while rest > 0 || count - start < digits {
            let digit = UInt8(rest % radix)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            rest /= radix
        }
        var (low, high) = (start, count - 1)
        while low < high {
            swapAt(low, high)
            low += 1
            high -= 1
        }
    }
}
