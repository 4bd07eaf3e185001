import AllocationTrace
import Foundation

/// Replays traces in processes of their own, one after the other, and keeps what they print.
final class ReplayProcesses {
    private let folder: TemporaryItem
    private let options: [String]
    private var outputs: [String: [ReplayOutput]] = [:]

    /// - Parameter options: arguments that every process gets.
    init(options: [String]) throws {
        self.options = options
        folder = TemporaryItem("tensor-pool-\(UUID())")
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
    }

    /// A place for a file that is gone with this object.
    func path(_ name: String) -> String { folder.url.appending(path: name).path(percentEncoded: false) }

    /// The path of a trace for processes to replay, gone with this object.
    /// - Parameter trace: what is written there where nothing of that name is.
    func file(_ name: String, _ trace: () throws -> AllocationTrace) throws -> String {
        let path = path(name)
        if !FileManager.default.fileExists(atPath: path) { try TraceFile.write(try trace(), to: path, as: .tptrace) }
        return path
    }

    /// Runs one more process of a subject.
    /// - Parameters:
    ///   - name: what the subject is called.
    ///   - file: what it replays.
    func run(_ name: String, on pool: PoolChoice, options own: [String], _ file: String) throws {
        let arguments = ["replay", "--pool", pool.rawValue, "--format", "json"] + options + own + ["--", file]
        outputs[name, default: []].append(try OwnProcess.run(arguments, printing: ReplayOutput.self))
    }

    /// Runs one process of each allocator a turn, in another order each turn.
    /// - Parameters:
    ///   - part: which of the turns are taken; nil for all.
    ///   - options: of the process of an allocator in a turn.
    func takeTurns(
        _ turns: Int, part: Range<Int>? = nil, _ choices: [PoolChoice], _ file: String, _ progress: Progress,
        options: (_ choice: PoolChoice, _ turn: Int) -> [String]
    ) throws {
        for turn in part ?? 0..<turns {
            for shift in choices.indices {
                let choice = choices[(shift + turn) % choices.count]
                progress.show(
                    "replaying", on: choice.rawValue, turn * choices.count + shift, of: turns * choices.count, "process"
                )
                try run(choice.rawValue, on: choice, options: options(choice, turn), file)
            }
        }
    }

    /// Goes twice through a trace on an allocator, or through as much as there is time for.
    /// - Parameter seconds: of processor time, for each time.
    func look(at pool: PoolChoice, touch: Touch, seconds: Double, _ file: String) throws -> [ReplayWarmUp] {
        try OwnProcess.run(
            ["look", "--pool", pool.rawValue, "--touch", touch.rawValue, "--seconds", "\(seconds)", "--", file],
            printing: [ReplayWarmUp].self)
    }

    /// What a subject's processes found; nil where there was none.
    func subject(_ name: String) -> ReplaySubject? { outputs[name].flatMap { ReplaySubject(name, $0) } }
}
