/// A decimal number as JSON and CSV write it, kept exactly: sign, digits, and where the point stands.
struct DecimalNumber: Equatable {
    let isNegative: Bool
    let digits: UInt64
    /// The value is `digits` times ten to this power.
    let exponent: Int

    /// Nil for anything but a number. Digits beyond what 64 bits hold are cut, not rounded, once they are fractions.
    init?(parsing text: Span<UInt8>) {
        var index = 0
        var isNegative = false
        if !text.isEmpty, text[0] == UInt8(ascii: "-") {
            isNegative = true
            index = 1
        }
        var digits: UInt64 = 0
        var exponent = 0
        var digitCount = 0
        var hasPoint = false
        var isFull = false
        scan: while index < text.count {
            switch text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digitCount += 1
                let (scaled, overflow) = digits.multipliedReportingOverflow(by: 10)
                let (sum, sumOverflow) = scaled.addingReportingOverflow(UInt64(text[index] &- UInt8(ascii: "0")))
                if overflow || sumOverflow { isFull = true }
                if !isFull {
                    digits = sum
                    if hasPoint { exponent -= 1 }
                } else if !hasPoint {
                    return nil
                }
            case UInt8(ascii: "."):
                guard !hasPoint else { return nil }
                hasPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                break scan
            default:
                return nil
            }
            index += 1
        }
        guard digitCount > 0 else { return nil }
        if index < text.count {
            guard let power = Self.power(text.extracting((index + 1)...)) else { return nil }
            exponent += power
        }
        self.isNegative = isNegative
        self.digits = digits
        self.exponent = exponent
    }

    /// The value times ten to that power, cut towards 0; nil where it does not fit.
    func value(scaledByPowerOfTen power: Int = 0) -> Int64? {
        var value = digits
        var steps = exponent + power
        while steps < 0, value > 0 {
            value /= 10
            steps += 1
        }
        while steps > 0, value > 0 {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = scaled
            steps -= 1
        }
        guard let signed = Int64(exactly: value) else { return nil }
        return isNegative ? -signed : signed
    }

    private static func power(_ text: Span<UInt8>) -> Int? {
        let isSigned = !text.isEmpty && (text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+"))
        guard let magnitude = UInt64(decimal: text.extracting((isSigned ? 1 : 0)...)), magnitude <= 10_000 else {
            return nil
        }
        return isSigned && text[0] == UInt8(ascii: "-") ? -Int(magnitude) : Int(magnitude)
    }
}
