import AllocationTrace
import Foundation

/// Reads and writes traces for commands, and tells how far it is where that takes more than a second.
struct TraceLoading {
    let progress: Progress
    private let clock = ContinuousClock()

    init(progress: Progress) {
        self.progress = progress
    }

    /// Reads a trace of any format; `-` is standard input.
    func read(_ path: String, options: TraceFile.Options = .init()) throws(TraceReadError) -> TraceFile {
        defer { progress.finish() }
        let start = clock.now
        return try TraceFile.read(path, options: options) { state in
            let elapsed = start.duration(to: clock.now) / .seconds(1)
            guard elapsed > 1 else { return }
            progress.show(Self.line("reading \(FileName.input(path))", state, elapsed: elapsed))
        }
    }

    /// Makes a trace of what a process recorded.
    func convert(_ recording: RawRecording, to path: String) throws {
        defer { progress.finish() }
        let start = clock.now
        try recording.write(to: path) { state in
            let elapsed = start.duration(to: clock.now) / .seconds(1)
            guard elapsed > 1 else { return }
            progress.show(Self.line("writing \(path)", state, elapsed: elapsed))
        }
    }

    /// Writes a trace.
    func write(
        _ trace: AllocationTrace, to path: String, as format: TraceFormat, machine: TraceMachine?
    ) throws(TraceWriteError) {
        defer { progress.finish() }
        let start = clock.now
        let total = trace.events.count
        try TraceFile.write(trace, to: path, as: format, machine: machine) { written in
            let elapsed = start.duration(to: clock.now) / .seconds(1)
            guard elapsed > 1, written > 0 else { return }
            progress.show("writing \(FileName.output(path))", written, of: total, "event")
        }
    }

    static func line(_ subject: String, _ state: TraceReadProgress, elapsed: Double) -> String {
        let rate = Double(state.contentBytes) / elapsed / 1e6
        let text = "\(subject): \(Figures.mebibytes(state.contentBytes)) MiB, \(Figures.decimal(rate)) MB/s"
        guard let total = state.fileBytes, state.readBytes > 0 else { return text }
        return text + ", "
            + Progress.remaining(done: Double(state.readBytes), of: Double(total), elapsed: elapsed)
    }
}
