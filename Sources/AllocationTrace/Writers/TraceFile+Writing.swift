extension TraceFile {
    /// Writes a trace to a file: gzip where its name ends in `.gz`, and `-` for standard output.
    ///
    /// A regular file appears under its name when it is complete. What is alive at the end stays so.
    /// - Parameters:
    ///   - format: see ``TraceFormat/writable``; another is an error.
    ///   - machine: where it was recorded, for the binary format.
    ///   - report: told now and then how many events are written.
    public static func write(
        _ trace: AllocationTrace, to path: String, as format: TraceFormat, machine: TraceMachine? = nil,
        report: ((_ eventsWritten: Int) -> Void)? = nil
    ) throws(TraceWriteError) {
        switch format {
        case .tptrace:
            try BinaryTraceWriter.write(trace, to: path, machine: machine, report: report)
        case .rmm:
            var output = try TraceOutput(path: path, atomically: true)
            try RMMTraceWriter.write(trace, to: &output, report: report)
            try output.finish()
        case .chrome:
            var output = try TraceOutput(path: path, atomically: true)
            try ChromeTraceWriter.write(trace, to: &output, report: report)
            try output.finish()
        case .minimalloc:
            throw TraceWriteError(file: path, reason: "planning problems are read, and not written")
        }
    }
}
