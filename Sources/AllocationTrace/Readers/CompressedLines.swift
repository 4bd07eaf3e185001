import CZlib

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The lines of a plain or gzip file, one at a time through a buffer of fixed size.
///
/// Safe: it alone owns the open file, and closes it once. A line longer than ``maximumLineLength`` is a problem and not a reason to grow.
@safe
struct CompressedLines: ~Copyable {
    struct Line {
        /// Where its bytes are in ``CompressedLines/buffer``, without the line break.
        let bytes: Range<Int>
        /// False for a last line that no line break ends.
        let isComplete: Bool
    }

    static let maximumLineLength = 4096

    private(set) var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private(set) var lineNumber = 0
    /// Whether the file ends within its compressed data. Known once ``next()`` has returned nil or an incomplete line.
    private(set) var isTruncated = false
    private let file: gzFile
    private var unread = 0..<0
    private var isAtEnd = false

    init(path: String) throws(TraceReadError.Problem) {
        // zlib reads a file that is not gzip as it stands. "e": a helper started meanwhile must not inherit the file.
        guard let file = unsafe gzopen(path, "rbe") else {
            throw .cannotOpen(reason: unsafe String(cString: strerror(errno)))
        }
        unsafe self.file = unsafe file
    }

    deinit {
        // Nothing was written, and read errors have been seen by `fill`: closing has nothing more to say.
        _ = unsafe gzclose_r(file)
    }

    /// The next line, or nil after the last. The range stays valid until the next call.
    mutating func next() throws(TraceReadError.Problem) -> Line? {
        var searched = unread.lowerBound
        while true {
            if let lineBreak = buffer[searched..<unread.upperBound].firstIndex(of: UInt8(ascii: "\n")) {
                let line = unread.lowerBound..<lineBreak
                unread = (lineBreak + 1)..<unread.upperBound
                return try finished(line, isComplete: true)
            }
            guard unread.count <= Self.maximumLineLength else {
                lineNumber += 1
                throw Self.lineTooLong
            }
            if isAtEnd {
                guard !unread.isEmpty else { return nil }
                let line = unread
                unread = line.upperBound..<line.upperBound
                return try finished(line, isComplete: false)
            }
            let alreadySearched = unread.count
            try fill()
            searched = unread.lowerBound + alreadySearched
        }
    }

    private mutating func finished(_ line: Range<Int>, isComplete: Bool) throws(TraceReadError.Problem) -> Line {
        lineNumber += 1
        guard line.count <= Self.maximumLineLength else { throw Self.lineTooLong }
        let endsInReturn = !line.isEmpty && buffer[line.upperBound - 1] == UInt8(ascii: "\r")
        return Line(bytes: endsInReturn ? line.dropLast() : line, isComplete: isComplete)
    }

    private static var lineTooLong: TraceReadError.Problem {
        .malformed(expected: "a line of at most \(maximumLineLength) bytes", found: "a longer one")
    }

    /// Moves what is unread to the front and reads more behind it.
    private mutating func fill() throws(TraceReadError.Problem) {
        let kept = unread.count
        for offset in 0..<kept { buffer[offset] = buffer[unread.lowerBound + offset] }
        let file = unsafe file
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            // The pointer stays within the array that the closure borrows.
            unsafe gzread(file, bytes.baseAddress! + kept, UInt32(bytes.count - kept))
        }
        var code: Int32 = Z_OK
        let message = unsafe gzerror(file, &code)
        guard count >= 0 else {
            let reason = unsafe code == Z_ERRNO ? String(cString: strerror(errno)) : String(cString: message!)
            throw .cannotRead(reason: reason)
        }
        unread = 0..<(kept + Int(count))
        if count == 0 {
            isAtEnd = true
            // What zlib reports when the file ends before the compressed data does.
            isTruncated = code == Z_BUF_ERROR
        }
    }
}
