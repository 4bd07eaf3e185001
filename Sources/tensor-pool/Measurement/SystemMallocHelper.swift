import AllocationTrace
import Foundation

/// The helper process that measures the system's malloc, since on Linux this process's malloc is jemalloc; or a malloc
/// that is preloaded into it.
///
/// One request at a time. The helper ends when this object goes, or with this process, whichever way that ends.
final class SystemMallocHelper {
    static let name = "tensor-pool-system"

    private let process = Process()
    private let requests = Pipe()
    private let replies = Pipe()
    private var unread = Data()
    private let patience: Duration

    /// Starts the helper.
    /// - Parameters:
    ///   - path: the executable; nil for the one beside this command.
    ///   - library: what is preloaded into it; nil for nothing.
    ///   - patience: how long one answer may take.
    init(
        path: String? = nil, preloading library: String? = nil, patience: Duration = .seconds(600)
    ) throws(SystemMallocHelperError) {
        self.patience = patience
        let path = path ?? Self.pathBesideThisExecutable
        guard FileManager.default.isExecutableFile(atPath: path) else { throw .missing(path: path) }
        // Writing to a helper that has died must be an error, and not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(filePath: path)
        process.standardInput = requests
        process.standardOutput = replies
        process.environment = OwnProcess.environment(adding: library.map { ["LD_PRELOAD": $0] } ?? [:])
        do {
            try process.run()
        } catch {
            throw .cannotStart(path: path, reason: error.systemReason)
        }
    }

    deinit {
        // The end of its input is the end of the helper; a kill is for one that is in the middle of a measurement.
        try? requests.fileHandleForWriting.close()
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    var processIdentifier: Int32 { process.processIdentifier }

    func describe() throws(SystemMallocHelperError) -> SystemMallocDescription {
        let reply = try ask(.describe)
        guard case .description(let description) = reply else { throw .unexpectedReply("\(reply)") }
        return description
    }

    func measure(
        _ pair: PairMeasurement, iterations: Int?, budget: Duration
    ) throws(SystemMallocHelperError) -> PairSample {
        let nanoseconds = Int(budget / .nanoseconds(1))
        let reply = try ask(.pair(pair, iterations: iterations, budgetNanoseconds: nanoseconds))
        guard case .pair(let sample) = reply else { throw .unexpectedReply("\(reply)") }
        return sample
    }

    /// Replays rounds of a trace. Asked again for the same trace, touch and mode, goes on with the same replay.
    /// - Parameters:
    ///   - warmUp: how far a warm-up goes before them; nil for none.
    ///   - latencyRounds: rounds after them with the clock read at each event.
    func replay(
        path: String, touch: Touch, mode: ReplayMode = .sequential, warmUp: WarmUpLimit? = nil, rounds: Int,
        latencyRounds: Int = 0
    ) throws(SystemMallocHelperError) -> ReplayReport {
        let reply = try ask(
            .replay(
                path: path, touch: touch, mode: mode, warmUp: warmUp, rounds: rounds,
                latencyRounds: latencyRounds))
        guard case .replay(let report) = reply, report.rounds.count == rounds else {
            throw .unexpectedReply("\(reply)")
        }
        return report
    }

    /// Replays a trace as far as a limit lets it.
    func warmUp(
        path: String, touch: Touch, mode: ReplayMode, _ limit: WarmUpLimit
    ) throws(SystemMallocHelperError) -> ReplayWarmUp {
        let report = try replay(path: path, touch: touch, mode: mode, warmUp: limit, rounds: 0)
        guard let warmUp = report.warmUp else { throw .isOfAnotherBuild }
        return warmUp
    }

    private static var pathBesideThisExecutable: String {
        OwnProcess.executable.deletingLastPathComponent().appending(path: name).path(percentEncoded: false)
    }

    private func ask(_ request: SystemMallocRequest) throws(SystemMallocHelperError) -> SystemMallocReply {
        do {
            let line = try JSONEncoder().encode(request) + Data("\n".utf8)
            try requests.fileHandleForWriting.write(contentsOf: line)
        } catch {
            throw death()
        }
        let line = try nextLine()
        guard let reply = try? JSONDecoder().decode(SystemMallocReply.self, from: line) else {
            throw .unexpectedReply(String(decoding: line.prefix(200), as: UTF8.self))
        }
        if case .failure(let reason) = reply { throw .failed(reason: reason) }
        return reply
    }

    private func nextLine() throws(SystemMallocHelperError) -> Data {
        let descriptor = replies.fileHandleForReading.fileDescriptor
        let deadline = ContinuousClock.now + patience
        while true {
            if let lineBreak = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = unread[..<lineBreak]
                unread = Data(unread[(lineBreak + 1)...])
                return Data(line)
            }
            let left = deadline - ContinuousClock.now
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // Waits on one descriptor, described by a local.
            let ready = unsafe poll(&wanted, 1, Int32(max(0, left / .milliseconds(1))))
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { throw .didNotAnswer(seconds: Int(patience.components.seconds)) }
            // Something is there, or the end: this does not wait.
            let received = replies.fileHandleForReading.availableData
            guard !received.isEmpty else { throw death() }
            unread += received
        }
    }

    private func death() -> SystemMallocHelperError {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return .died(status: process.terminationStatus)
    }
}
