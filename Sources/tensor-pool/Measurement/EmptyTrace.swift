import AllocationTrace

/// A trace without a single event: there is nothing to say about it.
struct EmptyTrace: Error, CustomStringConvertible {
    let path: String
    /// What the file held instead.
    let irregularities: TraceIrregularities

    var description: String {
        "\(FileName.input(path)): the trace has no allocations" + (irregularities.line.map { ": " + $0 } ?? "")
    }

    /// Throws where the trace is empty.
    static func check(_ file: TraceFile) throws(EmptyTrace) {
        guard file.trace.events.isEmpty else { return }
        throw EmptyTrace(path: file.path, irregularities: file.trace.irregularities)
    }
}
