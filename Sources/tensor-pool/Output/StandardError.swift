import Foundation

enum StandardError {
    /// Writes a line. Where nobody listens any more, that is no reason to fail.
    static func write(_ line: String) {
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
