extension [UInt8] {
    /// Seven bits a byte, the low ones first, the high bit of all but the last byte set (LEB128).
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    mutating func appendLittleEndian<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendVarint(value)
        return bytes
    }
}

extension Int64 {
    /// Small for small magnitudes of either sign.
    var zigzag: UInt64 { UInt64(bitPattern: self << 1 ^ self >> 63) }

    init(zigzag value: UInt64) {
        self = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}

/// Walks over varints.
struct VarintCursor {
    var position = 0

    /// Nil where the bytes end within the number, or it does not fit.
    mutating func next(in bytes: Span<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// Nil also where the number is above `Int.max`.
    mutating func nextCount(in bytes: Span<UInt8>) -> Int? { next(in: bytes).flatMap { Int(exactly: $0) } }
}

extension Span where Element == UInt8 {
    /// The number of little-endian bytes that stands there. All of them have to be within the span.
    func littleEndian<Value: FixedWidthInteger>(_: Value.Type, at position: Int) -> Value {
        var value: Value = 0
        for index in (0..<(Value.bitWidth / 8)).reversed() {
            value = value << 8 | Value(truncatingIfNeeded: self[position + index])
        }
        return value
    }

    /// Whether the bytes start with those.
    func starts(with prefix: [UInt8]) -> Bool {
        guard count >= prefix.count else { return false }
        for index in prefix.indices where self[index] != prefix[index] { return false }
        return true
    }

    /// The bytes as text, cut to at most `limit` of them.
    func text(limit: Int) -> String {
        var bytes: [UInt8] = []
        for index in 0..<Swift.min(count, limit) { bytes.append(self[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
