import AllocationTrace

/// What a recorded trace holds, in a line.
struct RecordingSummary {
    let line: String

    /// Reads the trace that was written: what it says is what its readers will see.
    init(_ written: RecordingFolder.Written, _ loading: TraceLoading) throws {
        let file = try loading.read(written.path, options: TraceFile.Options(details: []))
        let summary = file.trace.summary
        let name = written.recording.map { " (\($0.program), process \($0.process))" } ?? ""
        let dropped = file.trace.irregularities.droppedEvents
        line =
            "\(written.path)\(name): events \(Figures.count(summary.eventCount)), "
            + "threads \(Figures.count(summary.threadCount)), "
            + "peak live \(Figures.mebibytes(summary.peakLiveBytes)) MiB, blocks \(Figures.count(summary.peakLiveBlocks))"
            + (dropped == 0 ? "" : ", dropped for lack of room on the disk \(Figures.count(dropped))")
    }
}
