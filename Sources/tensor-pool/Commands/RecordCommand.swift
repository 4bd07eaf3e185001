import AllocationTrace
import ArgumentParser
import Foundation

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Runs a program and records its allocations.",
        usage: """
            tensor-pool record [-o FILE] [--threshold BYTES] [--children] -- COMMAND [ARGUMENT ...]
            tensor-pool record [-o FILE] --recover FOLDER
            """,
        discussion: """
            Runs an unmodified program with \(RecordedProgram.libraryName), which stands beside this command, \
            preloaded, and writes what it asks of malloc and its relatives, with time and thread, as a binary trace (.tptrace) \
            that the other commands read. While the program runs, events go to a folder beside FILE, 32 bytes each, \
            so that all are there however it ends, by SIGKILL too.

            Recorded is COMMAND's own process. Where it runs another program in its place (a wrapper script that ends \
            in exec), FILE gets the last of them. --children also records all processes that come of it, the last \
            program of each to a file of its own beside FILE. Not recorded: mmap, programs that bring their malloc in their own \
            executable, statically linked ones, and those that run with others' rights (setuid).

            Where this command is killed, or FILE cannot be written, the folder (FILE.recording-...) stays, and \
            --recover makes the trace of it.

            A summary goes to standard error. SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on. Signals that \
            are blocked for this command are so for COMMAND too.

            Exit codes: COMMAND's own; 128 + N where signal N ended it; 64 wrong arguments; 125 the recording failed; \
            126 COMMAND cannot be started; 127 it was not found.

            Examples:
              tensor-pool record -- python3 train.py
              tensor-pool record -o run.tptrace --threshold 65536 -- ./server --port 8080
              tensor-pool replay run.tptrace
            """
    )

    @Option(
        name: [.short, .long], help: "The trace to write. (default: COMMAND's name and .tptrace, in this folder)",
        completion: .file(extensions: ["tptrace", "gz"]))
    var output: String?

    @Option(help: "The smallest request in bytes that is recorded, at least 1.")
    var threshold = 1024

    @Flag(help: "Record the processes that COMMAND starts as well.")
    var children = false

    @Option(help: "Run nothing; make the trace of the folder that a recording left behind.", completion: .directory)
    var recover: String?

    @Argument(parsing: .postTerminator, help: "The program and its arguments.")
    var command: [String] = []

    func validate() throws {
        guard threshold >= 1 else { throw ValidationError("--threshold is at least 1 byte, not \(threshold).") }
        if recover == nil, command.first?.isEmpty ?? true {
            throw ValidationError("Put the program behind --, such as: tensor-pool record -- python3 train.py")
        }
        if recover != nil, !command.isEmpty { throw ValidationError("--recover runs no program.") }
        if let output, TraceFormat(writingTo: output) != .tptrace {
            throw ValidationError("The trace is a binary one: end the name '\(output)' in .tptrace or .tptrace.gz.")
        }
    }

    func run() throws {
        let output = output ?? URL(filePath: command.first ?? "recovered").lastPathComponent + ".tptrace"
        do {
            if let recover {
                try convert(RecordingFolder(existing: recover, for: output), process: nil)
            } else {
                try record(to: output)
            }
        } catch let failure as RecordedProgram.Failure {
            StandardError.write("Error: \(failure)")
            throw ExitCode(failure.exitCode)
        } catch let code as ExitCode {
            throw code
        } catch {
            StandardError.write("Error: \(error)")
            throw ExitCode(125)
        }
    }

    private func record(to output: String) throws {
        let folder = try RecordingFolder(for: output)
        let program = RecordedProgram(
            command: command, folder: folder.path, threshold: threshold, recordsChildren: children)
        let (process, end): (pid_t, RecordedProgram.End)
        do {
            (process, end) = try program.run()
        } catch {
            folder.remove()
            throw error
        }
        do {
            try convert(folder, process: process)
        } catch {
            StandardError.write("Error: \(error)")
            StandardError.write(
                "The recording is in \(folder.path): tensor-pool record --recover makes the trace of it")
            throw ExitCode(125)
        }
        folder.remove()
        throw ExitCode(end.exitCode)
    }

    private func convert(_ folder: RecordingFolder, process: pid_t?) throws {
        let loading = TraceLoading(progress: Progress())
        let written = try folder.convert(process: process, loading)
        for trace in written { StandardError.write(try RecordingSummary(trace, loading).line) }
        if written[0].recording == nil, !command.isEmpty { StandardError.write(nothingRecorded) }
    }

    private var nothingRecorded: String {
        "\(command[0]) asked for nothing of \(Figures.count(threshold)) bytes or more that could be recorded"
            + (children ? "" : "; --children records what it starts")
    }
}
