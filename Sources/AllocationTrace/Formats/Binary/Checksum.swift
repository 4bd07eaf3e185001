import CZlib

enum Checksum {
    /// The CRC-32 that gzip and PNG use. `continuing` is that of the bytes before.
    static func crc32(_ bytes: Span<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
        // zlib reads the span's bytes, within the closure.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe UInt32(truncatingIfNeeded: CZlib.crc32(uLong(previous), buffer.baseAddress, uInt(buffer.count)))
        }
    }
}
