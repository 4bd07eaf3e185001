import Foundation

/// A program that runs under the preloaded recorder.
struct RecordedProgram {
    /// How a program ended.
    enum End: Equatable {
        case exited(Int32)
        case killed(signal: Int32)

        /// As a shell has it: 128 and the signal's number.
        var exitCode: Int32 {
            switch self {
            case .exited(let code): code
            case .killed(let signal): 128 + signal
            }
        }
    }

    /// Why a program could not be started or recorded.
    enum Failure: Error, CustomStringConvertible {
        case missingLibrary(path: String)
        case unusableLibraryPath(String)
        case cannotStart(command: String, code: Int32)
        case cannotMakeFolder(path: String, reason: String)
        case cannotReadFolder(path: String, reason: String)
        case noRecording(path: String)

        var description: String {
            switch self {
            case .missingLibrary(let path):
                "\(path) is missing: build the whole package (swift build), and keep the library beside tensor-pool"
            case .unusableLibraryPath(let path):
                "\(path): the loader takes no path with spaces or colons: move tensor-pool and its library elsewhere"
            case .cannotStart(let command, let code):
                "\(command) cannot be started: \(unsafe String(cString: strerror(code)))"
            case .cannotMakeFolder(let path, let reason):
                "the folder \(path) for what is recorded cannot be made: \(reason)"
            case .cannotReadFolder(let path, let reason):
                "\(path): cannot read the folder of the recording: \(reason)"
            case .noRecording(let path):
                "\(path): no recording is in this folder: give the one that 'tensor-pool record' left behind"
            }
        }

        /// As `env` has it.
        var exitCode: Int32 {
            switch self {
            case .cannotStart(_, let code): code == ENOENT ? 127 : 126
            case .missingLibrary, .unusableLibraryPath, .cannotMakeFolder, .cannotReadFolder, .noRecording: 125
            }
        }
    }

    static let libraryName = "libtensorpool-recorder.so"
    /// They are passed on, unless a terminal sent them to both.
    private static let forwarded = [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2]

    let command: [String]
    let folder: String
    let threshold: Int
    let recordsChildren: Bool

    /// Runs to the end.
    /// - Returns: the process's id, and how it ended.
    func run() throws(Failure) -> (process: pid_t, end: End) {
        let library = OwnProcess.executable.deletingLastPathComponent().appending(path: Self.libraryName)
            .path(percentEncoded: false)
        guard FileManager.default.isReadableFile(atPath: library) else { throw .missingLibrary(path: library) }
        guard !library.contains(where: { $0 == ":" || $0.isWhitespace }) else { throw .unusableLibraryPath(library) }
        var before = sigset_t()
        var waited = Self.set(of: Self.forwarded + [SIGCHLD])
        // The signals wait until they are asked for, so that none is lost between two steps.
        unsafe pthread_sigmask(SIG_BLOCK, &waited, &before)
        defer {
            discardPending(waited)
            unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        let process = try start(library: library, mask: before)
        return (process, wait(for: process, waited))
    }

    private func environment(library: String) -> [String] {
        var variables = ProcessInfo.processInfo.environment
        variables["LD_PRELOAD"] = [library, variables["LD_PRELOAD"]].compactMap(\.self).joined(separator: ":")
        variables["TENSORPOOL_RECORD_DIRECTORY"] = folder
        variables["TENSORPOOL_RECORD_THRESHOLD"] = String(threshold)
        variables["TENSORPOOL_RECORD_PARENT"] = String(getpid())
        variables["TENSORPOOL_RECORD_CHILDREN"] = recordsChildren ? "1" : "0"
        return variables.map { "\($0)=\($1)" }
    }

    private func start(library: String, mask: sigset_t) throws(Failure) -> pid_t {
        var attributes = posix_spawnattr_t()
        // Everything is alive until posix_spawnp returns.
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var mask = mask
        unsafe posix_spawnattr_setsigmask(&attributes, &mask)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment(library: library).map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe arguments.indices { unsafe free(arguments[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        var process = pid_t()
        let code = unsafe posix_spawnp(&process, command[0], nil, &attributes, &arguments, &variables)
        guard code == 0 else { throw .cannotStart(command: command[0], code: code) }
        return process
    }

    private func wait(for process: pid_t, _ waited: sigset_t) -> End {
        var waited = waited
        while true {
            var status: Int32 = 0
            let ended = unsafe waitpid(process, &status, WNOHANG)
            if ended == process { return Self.end(status) }
            var information = unsafe siginfo_t()
            let signal = unsafe sigwaitinfo(&waited, &information)
            // What a key press sent, the terminal sent to both.
            if signal > 0, signal != SIGCHLD, unsafe information.si_code <= 0 { kill(process, signal) }
        }
    }

    private func discardPending(_ waited: sigset_t) {
        var waited = waited
        var now = timespec()
        while unsafe sigtimedwait(&waited, nil, &now) > 0 {}
    }

    private static func end(_ status: Int32) -> End {
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
    }

    private static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        return set
    }
}
