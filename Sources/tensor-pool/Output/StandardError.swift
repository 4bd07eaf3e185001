import Foundation

enum StandardError {
    /// Writes a line. Where nobody listens any more, that is no reason to fail.
    static func write(_ line: String) { put(line + "\n") }

    /// Writes over the line that stands there, up to 79 characters.
    static func rewrite(_ line: String) {
        put("\r" + line.padding(toLength: 79, withPad: " ", startingAt: 0))
    }

    private static func put(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
