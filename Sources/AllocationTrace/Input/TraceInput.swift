import CZlib

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The bytes of a plain or gzip file, or of standard input, through one buffer of fixed size.
///
/// Safe: it alone owns the open file, and closes it once.
@safe
struct TraceInput: ~Copyable {
    /// What stands for standard input.
    static let standardInputPath = "-"
    static let bufferSize = 1 << 18

    private(set) var buffer: [UInt8]
    /// The part of the buffer that no reader has taken yet. Readers move its start.
    var unread = 0..<0
    /// How many lines have been taken, for readers of lines.
    var lineNumber = 0
    private(set) var isAtEnd = false
    /// Whether the file ends within its compressed data. Known once ``isAtEnd`` is true.
    private(set) var isTruncated = false

    private let file: gzFile
    private let fileBytes: Int?
    private let report: ((TraceReadProgress) -> Void)?
    private var bytesBeforeBuffer = 0
    private var bytesAtLastReport = 0

    /// - Parameters:
    ///   - bufferSize: at least 4 KiB, the most that a reader wants to see at once. Binary traces need the default.
    ///   - report: told how far reading is after every 8 MiB of content.
    init(
        path: String, bufferSize: Int = Self.bufferSize, report: ((TraceReadProgress) -> Void)? = nil
    ) throws(TraceReadError.Problem) {
        // A descriptor of its own even for standard input: closing this one must leave that open.
        let descriptor =
            path == Self.standardInputPath
            ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotOpen(reason: unsafe String(cString: strerror(errno))) }
        var status = stat()
        let isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        // zlib reads a file that is not gzip as it stands.
        guard let file = unsafe gzdopen(descriptor, "rb") else {
            close(descriptor)
            throw .cannotOpen(reason: "not enough memory")
        }
        // Otherwise zlib reads plain files in pieces of 16 KiB. It may refuse, and then reads them so.
        _ = unsafe gzbuffer(file, UInt32(bufferSize / 2))
        unsafe self.file = unsafe file
        buffer = [UInt8](repeating: 0, count: bufferSize)
        fileBytes = isRegular ? Int(status.st_size) : nil
        self.report = report
    }

    deinit {
        // Nothing was written, and read errors have been seen by `fill`: closing has nothing more to say.
        _ = unsafe gzclose_r(file)
    }

    /// The offset in the content (decompressed, where it is gzip) of the first byte that is not taken.
    var offset: Int { bytesBeforeBuffer + unread.lowerBound }

    /// Moves what is unread to the front and reads more behind it, if the buffer has room.
    /// - Returns: whether there is more.
    mutating func fill() throws(TraceReadError.Problem) -> Bool {
        guard !isAtEnd else { return false }
        let kept = unread.count
        if unread.lowerBound > 0 {
            bytesBeforeBuffer += unread.lowerBound
            for offset in 0..<kept { buffer[offset] = buffer[unread.lowerBound + offset] }
            unread = 0..<kept
        }
        guard kept < buffer.count else { return false }
        let file = unsafe file
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            // The pointer stays within the array that the closure borrows.
            unsafe gzread(file, bytes.baseAddress! + kept, UInt32(bytes.count - kept))
        }
        var code: Int32 = Z_OK
        let message = unsafe gzerror(file, &code)
        guard count >= 0 else {
            guard code != Z_ERRNO else { throw .cannotRead(reason: unsafe String(cString: strerror(errno))) }
            throw .cannotRead(
                reason: unsafe "\(Self.reason(in: String(cString: message!))), before byte \(gzoffset(file)) "
                    + "of the compressed data")
        }
        unread = 0..<(kept + Int(count))
        if count == 0 {
            isAtEnd = true
            // What zlib reports when the file ends before the compressed data does.
            isTruncated = code == Z_BUF_ERROR
        }
        reportProgress()
        return count > 0
    }

    /// Without the name before it, which zlib makes up of the descriptor.
    private static func reason(in message: String) -> Substring {
        guard message.hasPrefix("<fd:"), let end = message.firstIndex(of: ">") else { return message[...] }
        return message[end...].dropFirst().drop { $0 == ":" || $0 == " " }
    }

    /// Reads until that many bytes are unread, or the file ends.
    mutating func fill(atLeast count: Int) throws(TraceReadError.Problem) {
        while unread.count < count, try fill() {}
    }

    /// What is unread and in the buffer.
    var unreadSpan: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { buffer.span.extracting(unread) }
    }

    /// Reads the first bytes, and takes the byte order mark that some text files start with.
    mutating func start() throws(TraceReadError.Problem) {
        try fill(atLeast: 4096)
        if unreadSpan.starts(with: [0xef, 0xbb, 0xbf]) { take(3) }
    }

    /// Takes the next bytes.
    mutating func take(_ count: Int) {
        unread = (unread.lowerBound + count)..<unread.upperBound
    }

    private mutating func reportProgress() {
        guard let report else { return }
        let bytes = bytesBeforeBuffer + unread.upperBound
        guard bytes - bytesAtLastReport >= 8 << 20 else { return }
        bytesAtLastReport = bytes
        report(
            TraceReadProgress(
                contentBytes: bytes, readBytes: fileBytes == nil ? bytes : unsafe Int(gzoffset(file)),
                fileBytes: fileBytes))
    }
}
