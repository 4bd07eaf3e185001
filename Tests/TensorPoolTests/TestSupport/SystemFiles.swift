import Foundation

/// A folder that stands for the root of a system, with files of the kernel's; gone with this object.
final class SystemFiles {
    private let url = FileManager.default.temporaryDirectory.appending(path: "tensor-pool-root-\(UUID())")

    var root: String { url.path(percentEncoded: false) }

    init(_ files: [String: String] = [:]) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (path, text) in files { try write(path, text) }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ path: String, _ text: String) throws { try write(path, Data(text.utf8)) }

    func write(_ path: String, _ bytes: Data) throws {
        let file = url.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try bytes.write(to: file)
    }

    /// Makes a pipe with a name, which nobody writes to.
    func makePipe(_ path: String) throws {
        let file = url.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        guard unsafe mkfifo(file.path(percentEncoded: false), 0o600) == 0 else { throw NothingFound() }
    }
}
