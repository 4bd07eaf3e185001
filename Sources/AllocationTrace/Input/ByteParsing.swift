extension Span where Element == UInt8 {
    func isEqual(to text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in indices where unsafe self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// The bytes as text for an error message: quoted, cut to a readable length, nothing unprintable.
    func quoted(limit: Int = 60) -> String {
        guard !isEmpty else { return "nothing" }
        var text = "\""
        for index in 0..<Swift.min(count, limit) {
            let scalar = Unicode.Scalar(self[index])
            text += scalar.isASCII ? scalar.escaped(asASCII: true) : "\\x" + String(self[index], radix: 16)
        }
        return text + (count > limit ? "\"…" : "\"")
    }
}

extension UInt64 {
    /// Nil for anything but decimal digits that fit.
    init?(decimal digits: Span<UInt8>) {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for index in digits.indices {
            let digit = digits[index] &- UInt8(ascii: "0")
            let (scaled, scaledOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = scaled.addingReportingOverflow(UInt64(digit))
            guard digit <= 9, !scaledOverflow, !sumOverflow else { return nil }
            value = sum
        }
        self = value
    }

    /// Nil for anything but `0x` with 1 to 16 hexadecimal digits, or `(nil)`, which is 0.
    init?(pointer text: Span<UInt8>) {
        if text.isEqual(to: "(nil)") {
            self = 0
            return
        }
        guard (3...18).contains(text.count), text.extracting(..<2).isEqual(to: "0x") else { return nil }
        var value: UInt64 = 0
        for index in 2..<text.count {
            guard let digit = text[index].hexadecimalDigit else { return nil }
            value = value << 4 | UInt64(digit)
        }
        self = value
    }
}

extension UInt8 {
    var hexadecimalDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
