import Foundation

/// A file that a command writes; `-` is standard output.
struct OutputFile {
    struct Failure: Error, CustomStringConvertible {
        let file: OutputFile
        let reason: String

        var description: String { "\(file.name): cannot write \(file.content): \(reason)" }
    }

    let path: String
    /// What is written, for errors.
    let content: String

    /// What it is called.
    var name: String { FileName.output(path) }

    /// Throws where it could not be written, as far as can be seen without touching it: for before long work.
    func check() throws(Failure) {
        guard path != FileName.stream else { return }
        var status = stat()
        // Looks at the path's bytes for the call, and so below.
        if unsafe stat(path, &status) == 0 {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            guard !isFolder else { throw failure(EISDIR) }
            if status.st_mode & S_IFMT != S_IFREG {
                guard unsafe access(path, W_OK) == 0 else { throw failure(errno) }
                return
            }
        } else if errno != ENOENT {
            throw failure(errno)
        }
        // It is replaced as a whole, for which its folder is what counts.
        let folder = url.deletingLastPathComponent().path(percentEncoded: false)
        guard unsafe access(folder, W_OK | X_OK) == 0 else { throw failure(errno) }
    }

    /// Writes it. A regular file appears under its name when it is complete.
    func write(_ data: Data) throws(Failure) {
        do {
            if path == FileName.stream {
                try StandardOutput.put(data)
            } else if isPlain {
                try data.write(to: url, options: .atomic)
            } else {
                try FileHandle(forWritingTo: url).write(contentsOf: data)
            }
        } catch let failure as StandardOutput.Failure {
            throw Failure(file: self, reason: failure.reason)
        } catch {
            throw Failure(file: self, reason: error.systemReason)
        }
    }

    /// With links followed, so that what they lead to is replaced, and not they.
    private var url: URL { URL(filePath: path).resolvingSymlinksInPath() }

    /// Whether it is a regular file, or none yet, and no device or pipe, which nothing may take the place of.
    private var isPlain: Bool {
        var status = stat()
        return unsafe stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    }

    private func failure(_ code: Int32) -> Failure {
        Failure(file: self, reason: unsafe String(cString: strerror(code)))
    }
}
