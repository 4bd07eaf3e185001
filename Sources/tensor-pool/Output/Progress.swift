import Foundation

/// A line on standard error that tells how far long work is. Silent where standard error is not a terminal.
final class Progress {
    private let isShown = isatty(STDERR_FILENO) == 1
    private var width = 0

    func show(_ text: String) {
        guard isShown else { return }
        write("\r" + text + String(repeating: " ", count: max(0, width - text.count)))
        width = text.count
    }

    /// Takes the line away again.
    func finish() {
        guard isShown, width > 0 else { return }
        write("\r" + String(repeating: " ", count: width) + "\r")
        width = 0
    }

    private func write(_ text: String) {
        // A terminal that has gone away is no reason to fail.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
