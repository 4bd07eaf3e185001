import CZlib

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file that is being written, plain or gzip by its name, or standard output.
///
/// Safe: it alone owns the open file, and closes it once.
@safe
struct TraceOutput: ~Copyable {
    /// What stands for standard output.
    static let standardOutputPath = "-"
    private static let pendingLimit = 1 << 17

    /// The path as it was given.
    let path: String
    /// Bytes on their way out. Writers add to it and call ``writeIfFull()`` now and then.
    var pending: [UInt8] = []
    /// The open file; nil once it is closed.
    private var file: gzFile?
    /// Where the bytes go until all are there, and where the file is to be then. Nil where they go there at once.
    private let move: (from: String, to: String)?

    /// - Parameter atomically: whether a regular file appears under its name only when it is complete.
    init(path: String, atomically: Bool) throws(TraceWriteError) {
        self.path = path
        // Swift keeps the bytes of paths alive for each call.
        let descriptor: Int32
        if path == Self.standardOutputPath {
            // A descriptor of its own: closing this one must leave standard output open.
            descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
            move = nil
        } else if atomically, let target = Self.replaceable(path) {
            let temporary = "\(target).partial-\(UInt32.random(in: .min ... .max))"
            descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            move = (temporary, target)
        } else {
            descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
            move = nil
        }
        guard descriptor >= 0 else {
            throw TraceWriteError(file: path, reason: unsafe String(cString: strerror(errno)))
        }
        // "T" writes the bytes as they are.
        let opened = unsafe gzdopen(descriptor, path.hasSuffix(".gz") ? "wb6" : "wbT")
        guard let file = unsafe opened else {
            close(descriptor)
            throw TraceWriteError(file: path, reason: "not enough memory")
        }
        unsafe self.file = unsafe file
    }

    deinit {
        guard let file = unsafe file else { return }
        // Given up: its error is on its way to the caller already, and nothing of it is to stay.
        _ = unsafe gzclose_w(file)
        if let move { unsafe unlink(move.from) }
    }

    mutating func write(_ bytes: [UInt8]) throws(TraceWriteError) {
        pending += bytes
        try writeIfFull()
    }

    mutating func writeIfFull() throws(TraceWriteError) {
        if pending.count >= Self.pendingLimit { try writePending() }
    }

    /// Hands everything to the system.
    mutating func flush() throws(TraceWriteError) {
        try writePending()
        guard let file = unsafe file, unsafe gzflush(file, Z_SYNC_FLUSH) == Z_OK else { throw failure() }
    }

    /// Writes the rest, closes the file, and gives it its name.
    mutating func finish() throws(TraceWriteError) {
        try writePending()
        guard let closing = unsafe file else { return }
        unsafe file = nil
        let status = unsafe gzclose_w(closing)
        let reason = unsafe String(cString: strerror(errno))
        guard status == Z_OK else {
            if let move { unsafe unlink(move.from) }
            throw TraceWriteError(file: path, reason: reason)
        }
        if let move, unsafe rename(move.from, move.to) != 0 {
            let reason = unsafe String(cString: strerror(errno))
            unsafe unlink(move.from)
            throw TraceWriteError(file: path, reason: reason)
        }
    }

    private mutating func writePending() throws(TraceWriteError) {
        guard !pending.isEmpty else { return }
        guard let file = unsafe file else { throw TraceWriteError(file: path, reason: "the file is closed") }
        let written = unsafe pending.withUnsafeBytes { bytes in
            // zlib reads the array's bytes, within the closure. It holds little more than the limit.
            unsafe gzwrite(file, bytes.baseAddress, UInt32(bytes.count))
        }
        guard Int(written) == pending.count else { throw failure() }
        pending.removeAll(keepingCapacity: true)
    }

    private func failure() -> TraceWriteError {
        var code: Int32 = Z_OK
        guard let file = unsafe file, let message = unsafe gzerror(file, &code) else {
            return TraceWriteError(file: path, reason: "the file is closed")
        }
        let reason = unsafe code == Z_ERRNO ? String(cString: strerror(errno)) : String(cString: message)
        return TraceWriteError(file: path, reason: reason)
    }

    /// The real path of a regular file, or of one that is not there yet; nil for a pipe, a terminal and the like.
    private static func replaceable(_ path: String) -> String? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return path }
        guard status.st_mode & S_IFMT == S_IFREG, let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
