#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Files of the system that fit into a page.
enum SmallFile {
    /// The text of a file, or nil where it cannot be read.
    static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return unsafe withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer -> String? in
            #if canImport(Darwin)
            let length = unsafe Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #elseif canImport(Glibc)
            let length = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
            let length = unsafe Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
            return length > 0 ? unsafe String(decoding: buffer.prefix(length), as: UTF8.self) : nil
        }
    }

    /// The number a file begins with.
    static func number(_ path: String) -> Int? {
        guard let text = read(path) else { return nil }
        return text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}
