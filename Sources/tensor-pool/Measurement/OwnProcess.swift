import AllocationTrace
import Dispatch
import Foundation
import Synchronization

/// Runs this command again in a process of its own, so that what one measurement leaves behind is not in the next.
enum OwnProcess {
    struct Failure: Error, CustomStringConvertible {
        let arguments: [String]
        let reason: String
        /// What the process said on standard error.
        var said = ""

        var description: String {
            // In its own words where it had any: that a process of its own was needed is nothing to the user.
            said.isEmpty ? "tensor-pool \(arguments.joined(separator: " ")) failed: \(reason)" : said
        }
    }

    /// What the command prints with the given arguments, as JSON of a type. What it says on standard error is seen, or
    /// in the error. It ends with this process, on Linux whichever way that ends.
    static func run<Output: Decodable>(_ arguments: [String], printing: Output.Type) throws -> Output {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment()
        process.standardOutput = output
        // No terminal, so that it does not write its progress over ours.
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw Failure(arguments: arguments, reason: error.systemReason)
        }
        let listener = PipeListener(errors)
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let said = listener.text.trimmingCharacters(in: .newlines)
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let ended = process.terminationReason == .exit ? "status" : "ended by signal"
            throw Failure(
                arguments: arguments, reason: "\(ended) \(process.terminationStatus)",
                said: said.hasPrefix("Error: ") ? String(said.dropFirst(7)) : said)
        }
        if !said.isEmpty { StandardError.write(said) }
        return try JSONDecoder().decode(Output.self, from: printed)
    }

    /// This process's environment for one that is to end with this one.
    static func environment(adding variables: [String: String] = [:]) -> [String: String] {
        ProcessInfo.processInfo.environment
            .merging([ParentProcess.variable: "\(getpid())"]) { $1 }
            .merging(variables) { $1 }
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

/// Reads what comes out of a pipe to its end, beside what else is read.
private final class PipeListener: Sendable {
    private let heard = Mutex(Data())
    private let isDone = DispatchSemaphore(value: 0)

    init(_ pipe: Pipe) {
        let handle = pipe.fileHandleForReading
        Thread.detachNewThread { [self] in
            let all = (try? handle.readToEnd()) ?? Data()
            heard.withLock { $0 = all }
            isDone.signal()
        }
    }

    /// All of it. Waits for the end; to be asked once.
    var text: String {
        isDone.wait()
        return String(decoding: heard.withLock { $0 }, as: UTF8.self)
    }
}
