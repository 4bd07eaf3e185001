import Foundation

/// Runs the executables that were built beside the tests.
enum BuiltCommand {
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    static let tensorPool = products.appending(path: "tensor-pool")
    static let helper = products.appending(path: "tensor-pool-system")
    static let recordedProgram = products.appending(path: "recorded-program")

    /// Runs to the end, with nothing on standard input unless given, and no terminal anywhere.
    static func run(_ arguments: [String], of executable: URL = tensorPool, input: String = "") throws -> Result {
        let process = Process()
        let (standardInput, output) = (Pipe(), Pipe())
        // A file and not a second pipe: two pipes that are read one after the other can block each other.
        let errors = FileManager.default.temporaryDirectory.appending(path: "errors-\(UUID())")
        try Data().write(to: errors)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.executableURL = executable
        process.arguments = arguments
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }

    private static var products: URL {
        #if os(Linux)
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        #else
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL.deletingLastPathComponent()
        #endif
    }
}

/// The trace that the repository brings along.
let bundledTrace = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Benchmarks/Traces/train_transformer.tensor.csv.gz").path(percentEncoded: false)

/// A folder that is gone when this object is.
final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "tensor-pool-\(UUID())")

    init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func file(named name: String, _ text: String) throws -> String {
        let file = url.appending(path: name)
        try Data(text.utf8).write(to: file)
        return file.path(percentEncoded: false)
    }

    /// A shell script to run in place of the helper.
    func script(_ text: String) throws -> String {
        let path = try file(named: "script-\(UUID())", "#!/bin/sh\n" + text + "\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }
}
