#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The small text files by which Linux tells about itself.
public enum SystemFile {
    /// The start of a file as text, or nil where it cannot be read.
    /// - Parameter limit: the most bytes that are read.
    public static func contents(of path: String, limit: Int = 1 << 14) -> String? {
        // Swift keeps the path's bytes alive for the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        while count < limit {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                // Within the array that the closure borrows.
                unsafe read(descriptor, buffer.baseAddress! + count, limit - count)
            }
            guard got > 0 else { break }
            count += got
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The number behind a name in a file of lines such as `VmHWM:   123 kB`, as it stands there.
    static func number(named name: String, in path: String) -> Int? {
        let line = contents(of: path)?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
    }
}
