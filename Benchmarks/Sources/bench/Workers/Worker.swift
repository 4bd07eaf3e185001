import Foundation

/// A worker process, and what it prints.
struct Worker {
    enum Failure: Error, CustomStringConvertible {
        case exit(command: String, status: Int32, message: String)

        var description: String {
            switch self {
            case .exit(let command, let status, let message):
                "\(command) ended with status \(status): \(message.trimmingCharacters(in: .whitespacesAndNewlines))"
            }
        }
    }

    /// Beside the driver's own executable.
    static var folder: URL {
        URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    }

    private let command: String
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// The "name value..." lines of a worker that runs to its end.
    static func run(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws -> WorkerOutput {
        try Worker(name, arguments, environment: environment).finish()
    }

    /// Starts a worker.
    init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        command = ([name] + arguments).joined(separator: " ")
        process.executableURL = Self.folder.appending(path: name)
        process.arguments = arguments
        // Settings of whoever started the driver must not reach the allocators.
        let kept = ProcessInfo.processInfo.environment.filter { key, _ in
            ["PATH", "HOME", "LD_LIBRARY_PATH"].contains(key)
        }
        process.environment = kept.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// Waits for its end.
    func finish() throws -> WorkerOutput {
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let message = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure.exit(
                command: command, status: process.terminationStatus, message: String(decoding: message, as: UTF8.self))
        }
        return WorkerOutput(String(decoding: text, as: UTF8.self))
    }
}

/// What a worker printed.
struct WorkerOutput {
    private var lines: [String: [[Substring]]] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first else { continue }
            lines[String(name), default: []].append(Array(words.dropFirst()))
        }
    }

    /// The rest of the first line of a name.
    func text(_ name: String) -> String? { lines[name]?.first.map { $0.joined(separator: " ") } }

    /// The first number of the first line of a name.
    func number(_ name: String) -> Double? { lines[name]?.first?.first.flatMap { Double($0) } }

    /// All lines of a name, as numbers.
    func numbers(_ name: String) -> [[Double]] { (lines[name] ?? []).map { $0.compactMap { Double($0) } } }
}
