import Foundation

/// One line on the terminal that says what is being measured, where there is a terminal.
struct Progress {
    private let isTerminal = isatty(2) == 1

    func show(_ text: String) {
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8)) }
    }

    func clear() {
        show("")
    }
}
