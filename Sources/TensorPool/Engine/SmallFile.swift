#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Files of the system that fit into some pages.
enum SmallFile {
    /// The text of a file up to `byteLimit` bytes, or nil where it cannot be read or is empty.
    ///
    /// Never waits: a pipe in place of a file reads as nothing.
    static func read(_ path: String, byteLimit: Int = 8192) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return unsafe withUnsafeTemporaryAllocation(byteCount: byteLimit, alignment: 1) { buffer -> String? in
            var length = 0
            // The kernel hands out its own files a page at a time.
            while length < byteLimit {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[length...])
                let count = unsafe systemRead(descriptor, rest)
                guard count > 0 else { break }
                length += count
            }
            return length > 0 ? unsafe String(decoding: buffer.prefix(length), as: UTF8.self) : nil
        }
    }

    private static func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Darwin)
        unsafe Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Glibc)
        unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #else
        unsafe Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }

    /// The number from 0 up that a file begins with.
    static func number(_ path: String) -> Int? {
        guard let text = read(path),
            let first = text.utf8.split(whereSeparator: { $0 <= UInt8(ascii: " ") }).first,
            let number = Int(Substring(first)), number >= 0
        else { return nil }
        return number
    }

    /// The number from 0 up that stands behind a name at the beginning of a line, as in `memory.stat`.
    static func number(_ name: String, in text: String) -> Int? {
        // In bytes and not characters, which take ten times as long to tell apart.
        let (lineFeed, space) = (UInt8(ascii: "\n"), UInt8(ascii: " "))
        for line in text.utf8.split(separator: lineFeed) where line.starts(with: name.utf8) {
            let fields = line.split(separator: space)
            guard fields.count >= 2, fields[0].count == name.utf8.count, let number = Int(Substring(fields[1])),
                number >= 0
            else { continue }
            return number
        }
        return nil
    }
}
