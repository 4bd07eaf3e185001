import AllocationTrace
import ArgumentParser
import Foundation

/// What `analyze` runs to find out how long an allocator takes.
struct LookCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "look",
        abstract: "Goes through a trace for a bounded time, then again as far, and tells how long that took.",
        shouldDisplay: false)

    @Argument(help: "The trace.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var file: String

    @Option(help: "The allocator.")
    var pool: PoolChoice

    @Option(help: "What is written into each block: nothing, a byte in every 4 KiB page, or every byte.")
    var touch: Touch = .page

    @Option(help: "Seconds of processor time for each time, up to 3600.")
    var seconds: Double

    func validate() throws {
        guard seconds > 0, seconds <= 3600 else {
            throw ValidationError("--seconds is above 0, up to 3600, not \(seconds).")
        }
    }

    func run() throws {
        let read = try TraceFile.read(file, options: TraceFile.Options(details: []))
        let replay = TraceReplay(file: read, touch: touch, mode: .sequential, rounds: 0)
        let passes = try replay.look(at: pool, WarmUpLimit(processorNanoseconds: Int(seconds * 1e9)))
        try StandardOutput.put(JSONEncoder().encode(passes))
    }
}
