import Foundation

enum StandardOutput {
    /// What was printed is not where it was to be.
    struct Failure: Error, CustomStringConvertible {
        let reason: String

        var description: String { "standard output: cannot write: \(reason)" }
    }

    /// Writes text and a line break. Where nobody reads any more, as behind `head -1`, that is no failure.
    static func print(_ text: String) throws(Failure) { try put(Data((text + "\n").utf8)) }

    static func put(_ data: Data) throws(Failure) {
        // Who closed the pipe has had enough, and what is temporary has to go before this process does.
        signal(SIGPIPE, SIG_IGN)
        var rest = data[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { bytes in
                // Reads the bytes that the closure borrows.
                unsafe write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
            }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EPIPE {
                return
            } else if errno != EINTR {
                throw Failure(reason: unsafe String(cString: strerror(errno)))
            }
        }
    }
}
