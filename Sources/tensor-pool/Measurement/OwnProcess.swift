import Foundation

/// Runs this command again in a process of its own, so that what one measurement leaves behind is not in the next.
enum OwnProcess {
    struct Failure: Error, CustomStringConvertible {
        let arguments: [String]
        let reason: String

        var description: String { "tensor-pool \(arguments.joined(separator: " ")) failed: \(reason)" }
    }

    /// What the command prints with the given arguments, as JSON of a type. What it says on standard error is seen.
    static func run<Output: Decodable>(_ arguments: [String], printing: Output.Type) throws -> Output {
        let process = Process()
        let output = Pipe()
        process.executableURL = executable
        process.arguments = arguments
        process.standardOutput = output
        do {
            try process.run()
        } catch {
            throw Failure(arguments: arguments, reason: error.localizedDescription)
        }
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(arguments: arguments, reason: "status \(process.terminationStatus)")
        }
        return try JSONDecoder().decode(Output.self, from: printed)
    }

    /// This process's executable.
    static var executable: URL {
        #if os(Linux)
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        #else
        (Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])).resolvingSymlinksInPath()
        #endif
    }
}
