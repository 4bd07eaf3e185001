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

    /// What all processes that were run and have ended had of the processors.
    static var childrensProcessorNanoseconds: Int {
        var usage = rusage()
        #if canImport(Glibc)
        let subject = __rusage_who_t(RUSAGE_CHILDREN.rawValue)
        #else
        let subject = RUSAGE_CHILDREN
        #endif
        // Fails only for an unknown subject or a bad address, and this address is a local's.
        unsafe getrusage(subject, &usage)
        func nanoseconds(_ time: timeval) -> Int { Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_usec) * 1000 }
        return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
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
