import AllocationTrace
import Foundation

/// A trace in a file that can be read again, by another process too.
///
/// Standard input and pipes are read once. And what reading leaves behind in a process changes what its malloc does
/// (glibc's mmap threshold follows what was freed): so every process reads the binary format, which leaves least. What is
/// in another is written to a temporary file, gone with this object.
final class RereadableTrace {
    /// The file to read.
    let path: String
    private let temporary: TemporaryItem?

    init(_ file: TraceFile) throws {
        var status = stat()
        // Looks at the path's bytes for the call.
        if file.format == .tptrace, file.path != "-", unsafe stat(file.path, &status) == 0,
            status.st_mode & S_IFMT == S_IFREG
        {
            path = file.path
            temporary = nil
            return
        }
        let item = TemporaryItem("tensor-pool-\(UUID()).tptrace")
        path = item.path
        temporary = item
        try TraceFile.write(file.trace, to: path, as: .tptrace)
    }
}
