import AllocationTrace
import Foundation

/// Replays a trace in processes of their own, one after the other, and keeps what they print.
final class ReplayProcesses {
    private let folder: URL
    private let options: [String]
    private var outputs: [String: [ReplayOutput]] = [:]

    /// - Parameter options: arguments that every process gets.
    init(_ trace: AllocationTrace, options: [String]) throws {
        self.options = options
        folder = FileManager.default.temporaryDirectory.appending(path: "tensor-pool-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try replace(trace)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Goes on with another trace, and forgets what was measured.
    func replace(_ trace: AllocationTrace) throws {
        outputs = [:]
        try TraceFile.write(trace, to: path("trace.tptrace"), as: .tptrace)
    }

    /// A place for a file that is gone with this object.
    func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

    /// Runs one more process of a subject.
    /// - Parameter name: what the subject is called.
    func run(_ name: String, on pool: PoolChoice, options own: [String]) throws {
        let arguments =
            ["replay", "--pool", pool.rawValue, "--format", "json"] + options + own + ["--", path("trace.tptrace")]
        outputs[name, default: []].append(try OwnProcess.run(arguments, printing: ReplayOutput.self))
    }

    /// How many processes of a subject there were.
    func count(_ name: String) -> Int { outputs[name]?.count ?? 0 }

    /// What a subject's processes found; nil where there was none.
    func subject(_ name: String) -> ReplaySubject? { outputs[name].flatMap { ReplaySubject(name, $0) } }

    /// What each process of a subject printed.
    func outputs(of name: String) -> [ReplayOutput] { outputs[name] ?? [] }
}
