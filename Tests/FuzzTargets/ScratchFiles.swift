internal import Foundation
internal import PoolModel

/// Files of this process, gone with it or by ``removeAll()``: what reads files is given these.
enum ScratchFiles {
    /// Their folder, a new one for each process.
    static let folder: String = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tensor-pool-fuzz-\(UUID())")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: ScratchFiles.folder) }
        return folder.path(percentEncoded: false)
    }()

    /// Writes a file anew, in folders that are made where they are missing. Returns its path.
    @discardableResult static func write(_ name: String, _ bytes: some Collection<UInt8>) throws(ModelFailure)
        -> String
    {
        let path = folder + "/" + name
        if writeContents(path, bytes) { return path }
        try? FileManager.default.createDirectory(
            atPath: URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false),
            withIntermediateDirectories: true)
        guard writeContents(path, bytes) else { throw ModelFailure("no file can be written at \(path)") }
        return path
    }

    static func remove(_ name: String) { _ = unsafe unlink(folder + "/" + name) }

    /// Plain calls of the system: a fuzzer makes a file some thousand times a second.
    private static func writeContents(_ path: String, _ bytes: some Collection<UInt8>) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let written = unsafe Array(bytes).withUnsafeBytes {
            unsafe Foundation.write(descriptor, $0.baseAddress, $0.count)
        }
        return written == bytes.count
    }
}
