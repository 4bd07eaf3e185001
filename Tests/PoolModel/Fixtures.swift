import Foundation

/// Bytes that follow from a number: the whole of a small tensor, 64 bytes a page of a larger one, and of one that is huge
/// only the ends.
package enum Fixtures {
    package static let wholeCeiling = 256 << 10
    package static let pagesCeiling = 4 << 20
    static let period = 64

    /// 64 bytes that repeat.
    private static func template(_ pattern: UInt64) -> SIMD8<UInt64> {
        SIMD8(repeating: pattern) &+ SIMD8(0, 0x9E37, 0x79B9, 0x7F4A, 0x7C15, 0xF39C, 0xC060, 0x5CED)
    }

    /// Calls `body` with the offset and length of each part that is written, until it says no. Whether it never did.
    private static func forEachPart(_ byteCount: Int, _ body: (Int, Int) -> Bool) -> Bool {
        if byteCount <= wholeCeiling { return body(0, byteCount) }
        guard body(0, period) && body(byteCount - period, period) else { return false }
        if byteCount > pagesCeiling { return true }
        var offset = 4096
        while offset < byteCount - 2 * period {
            if !body(offset, period) { return false }
            offset += 4096
        }
        return true
    }

    /// Writes them.
    package static func fill(_ bytes: UnsafeMutableRawBufferPointer, _ pattern: UInt64) {
        guard let start = bytes.baseAddress else { return }
        unsafe withUnsafeBytes(of: template(pattern)) { template in
            _ = forEachPart(bytes.count) { offset, count in
                let part = unsafe start + offset
                unsafe memcpy(part, template.baseAddress!, min(count, period))
                var written = period
                while written < count {
                    let more = min(written, count - written)
                    unsafe memcpy(part + written, part, more)
                    written += more
                }
                return true
            }
        }
    }

    /// Whether memory holds what ``fill(_:_:)`` wrote.
    package static func holds(_ bytes: UnsafeMutableRawBufferPointer, _ pattern: UInt64) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        return unsafe withUnsafeBytes(of: template(pattern)) { template in
            forEachPart(bytes.count) { offset, count in
                let part = unsafe start + offset
                return unsafe memcmp(part, template.baseAddress!, min(count, period)) == 0
                    && (count <= period || memcmp(part, part + period, count - period) == 0)
            }
        }
    }

    /// Whether the first bytes are still what was written to a tensor of `whole` bytes.
    package static func holds(
        _ bytes: UnsafeMutableRawBufferPointer, first byteCount: Int, of pattern: UInt64, writtenTo whole: Int
    ) -> Bool {
        let known = whole <= wholeCeiling ? byteCount : min(byteCount, period)
        return unsafe holds(UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(min(known, wholeCeiling))), pattern)
    }

    /// Whether all bytes are zero.
    package static func isZero(_ bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard let first = bytes.baseAddress else { return true }
        return unsafe bytes[0] == 0 && memcmp(first, first + 1, bytes.count - 1) == 0
    }

    /// Writes ones into all bytes.
    package static func dirty(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe _ = memset(bytes.baseAddress!, 0xFF, bytes.count)
    }
}
