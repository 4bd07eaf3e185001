import AllocationTrace
import ArgumentParser

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Converts an allocation trace to another format.",
        discussion: """
            Reads an RMM log (CSV), a PyTorch profiler trace (Chrome trace JSON recorded with profile_memory=True), a \
            binary trace (.tptrace) or a minimalloc problem (CSV), plain or gzip, known by its content; - is standard \
            input. Writes the RMM log, Chrome trace JSON (with counters for Perfetto: live bytes, and of a TraceRecorder's \
            trace cached and reserved bytes too) or the binary format, by OUTPUT's name (.csv, .json, .tptrace, each \
            with .gz too) or by --to; - is standard output. OUTPUT appears when it is complete. What is odd in INPUT is counted on standard error and survived.

            Exit codes: 0 done; 1 a file cannot be read or written, with the reason on standard error; 64 wrong \
            arguments.

            Examples:
              tensor-pool convert profile.json.gz profile.tptrace
              tensor-pool convert run.tptrace run.json
              zcat log.csv.gz | tensor-pool convert - - --to chrome > trace.json
            """
    )

    @Argument(help: "The trace to read.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var input: String

    @Argument(help: "The trace to write.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var output: String

    @Option(name: .customLong("to"), help: "What is written: rmm, chrome or tptrace. (default: by OUTPUT's name)")
    var format: TraceFormat?

    @Option(help: "Of which kind of device memory events are taken, by PyTorch's number: 0 the CPU, 1 CUDA.")
    var deviceType = 0

    func validate() throws {
        if let format, !TraceFormat.writable.contains(format) {
            throw ValidationError("--to is rmm, chrome or tptrace, not \(format.rawValue).")
        }
        if format == nil, TraceFormat(writingTo: output) == nil {
            throw ValidationError(
                "The name '\(output)' says no format: end it in .csv, .json or .tptrace, or give --to.")
        }
    }

    func run() throws {
        guard let format = format ?? TraceFormat(writingTo: output) else { return }
        let loading = TraceLoading(progress: Progress())
        let file = try loading.read(input, options: TraceFile.Options(deviceType: deviceType))
        try loading.write(file.trace, to: output, as: format, machine: file.machine)
        let events = "\(Figures.count(file.trace.events.count)) events"
        StandardError.write(
            "\(FileName.input(input)) (\(file.format.rawValue)): \(events) written to "
                + "\(FileName.output(output)) (\(format.rawValue))")
        if let odd = file.trace.irregularities.line { StandardError.write("odd: \(odd)") }
    }
}
