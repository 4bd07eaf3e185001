#if os(Linux)
import Foundation
import Testing

/// Who ends a command ends all that it runs, and nothing of it is left.
@Suite struct InterruptionTests {
    private let folder: TemporaryFolder
    private let temporary: URL

    init() throws {
        folder = try TemporaryFolder()
        temporary = folder.url.appending(path: "temporary")
        try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    }

    @Test(
        arguments: [SIGINT, SIGTERM, SIGKILL],
        [
            // One measures in the process itself, one in the helper of a process.
            ["replay", bundledTrace, "--pools", "adaptive"], ["replay", bundledTrace, "--peers", "glibc"],
        ])
    func endsItsProcesses(number: Int32, arguments: [String]) throws {
        let process = Process()
        process.executableURL = BuiltCommand.tensorPool
        process.arguments = arguments + ["--rounds", "100000", "--touch", "full"]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["TMPDIR": temporary.path(percentEncoded: false)]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try start(process)
        let wanted = arguments.contains("--peers") ? 2 : 1
        let running = try waitFor { Self.descendants(of: process.processIdentifier).count == wanted }
        #expect(running)
        let processes = Self.descendants(of: process.processIdentifier)
        #expect(try !FileManager.default.contentsOfDirectory(atPath: temporary.path(percentEncoded: false)).isEmpty)
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(process.terminationStatus == number)
        let ended = try waitFor { !processes.contains(where: Self.isRunning) }
        #expect(ended)
        for process in processes where Self.isRunning(process) { kill(process, SIGKILL) }
        // Nobody can tidy up behind SIGKILL.
        if number != SIGKILL {
            #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path(percentEncoded: false)) == [])
        }
    }

    /// Processes that are ignoring a signal, as under nohup, go on ignoring it.
    @Test func whatIsIgnoredStaysIgnored() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let command = BuiltCommand.tensorPool.path(percentEncoded: false)
        process.arguments = [
            "-c", "trap '' HUP; exec \"$0\" \"$@\"", command, "replay", bundledTrace, "--pools", "adaptive", "--turns",
            "1", "--rounds", "100000", "--seconds", "0.5", "--touch", "none", "--latency-rounds", "0",
        ]
        process.standardOutput = FileHandle.nullDevice
        try start(process)
        let running = try waitFor { Self.descendants(of: process.processIdentifier).count == 1 }
        #expect(running)
        kill(process.processIdentifier, SIGHUP)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 0)
    }

    /// Starts a process that no signal is ignored or blocked for. It would be so as it is for this one, which ignores
    /// SIGINT in the background of a shell, and for this thread, which may be one of Dispatch's, that block most.
    private func start(_ process: Process) throws {
        let handlers = [SIGINT, SIGTERM, SIGHUP].map { ($0, signal($0, SIG_DFL)) }
        var (none, before) = (sigset_t(), sigset_t())
        // Sets of signals on this stack.
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
        defer {
            unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
            for (number, handler) in handlers { signal(number, handler) }
        }
        try process.run()
    }

    /// Waits for something that happens soon, and on a busy machine within a minute.
    private func waitFor(_ condition: () -> Bool) throws -> Bool {
        for _ in 0..<6000 {
            if condition() { return true }
            usleep(10_000)
        }
        return false
    }

    /// State and parent of a process; nil where there is none.
    private static func status(of process: pid_t) -> (state: Character, parent: pid_t)? {
        guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            // The name before it may hold anything.
            let end = line.lastIndex(of: ")")
        else { return nil }
        let fields = line[end...].split(separator: " ")
        guard fields.count > 2, let state = fields[1].first, let parent = pid_t(fields[2]) else { return nil }
        return (state, parent)
    }

    /// Dead ones that nobody waited for are none.
    private static func isRunning(_ process: pid_t) -> Bool { status(of: process).map { $0.state != "Z" } ?? false }

    private static func descendants(of ancestor: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let children = names.compactMap { pid_t($0) }.filter { status(of: $0)?.parent == ancestor && isRunning($0) }
        return children + children.flatMap(descendants)
    }
}
#endif
