internal import CZlib

/// Makes the check sums of a binary trace right, whatever they cover. `Documentation/TraceFormat.md` has the numbers.
///
/// A fuzzer would have to guess them; who wants to harm just computes them.
enum TraceCheckSums {
    private static let prefixLength = 14
    private static let marker = Array("TPCK".utf8)
    private static let chunkPrefixLength = 13

    /// Nil where the bytes have no header, or where all check sums are right already.
    static func mended(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= prefixLength else { return nil }
        var mended = bytes
        let end = prefixLength + littleEndian(bytes, at: 10)
        guard end + 4 <= bytes.count else { return nil }
        put(checksum(bytes[prefixLength..<end]), into: &mended, at: end)
        var place = end + 4
        while place + chunkPrefixLength <= bytes.count {
            let payload = place + chunkPrefixLength
            let length = littleEndian(bytes, at: place + 5)
            guard bytes[place..<place + 4].elementsEqual(marker), length <= bytes.count - payload else {
                place += 1
                continue
            }
            let head = bytes[place + 4..<place + 9]
            put(checksum(head + bytes[payload..<payload + length]), into: &mended, at: place + 9)
            place = payload + length
        }
        return mended == bytes ? nil : mended
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        // zlib reads the slice's bytes, within the closure.
        unsafe bytes.withUnsafeBufferPointer {
            unsafe UInt32(truncatingIfNeeded: crc32(0, $0.baseAddress, uInt($0.count)))
        }
    }

    private static func littleEndian(_ bytes: [UInt8], at place: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }

    private static func put(_ number: UInt32, into bytes: inout [UInt8], at place: Int) {
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))) }
    }
}
