/// The formats of trace files.
public enum TraceFormat: String, Sendable, CaseIterable, Codable {
    /// The CSV of RAPIDS RMM's `logging_resource_adaptor`.
    case rmm
    /// A Chrome trace (JSON) with memory events, as PyTorch's profiler writes it.
    case chrome
    /// The project's own binary format.
    case tptrace
    /// The CSV of minimalloc's planning problems. Can be read, not written.
    case minimalloc

    /// The formats that can be written.
    public static let writable: [TraceFormat] = [.rmm, .chrome, .tptrace]

    /// The format that a file's name says it has, with or without `.gz`; nil where it says none.
    public init?(writingTo path: String) {
        let name = path.hasSuffix(".gz") ? path.dropLast(3) : path[...]
        if name.hasSuffix(".csv") {
            self = .rmm
        } else if name.hasSuffix(".json") {
            self = .chrome
        } else if name.hasSuffix(".tptrace") {
            self = .tptrace
        } else {
            return nil
        }
    }

    static let descriptionOfAll =
        "an RMM log (\(RMMRow.header)), a PyTorch profiler trace (JSON), a binary trace (.tptrace), "
        + "or a minimalloc problem (id,lower,upper,size), plain or gzip"

    /// The format that content starts like.
    init?(content: Span<UInt8>) {
        if content.starts(with: Array(BinaryTrace.magic.prefix(4))) {
            self = .tptrace
            return
        }
        var start = 0
        while start < content.count, content[start] <= UInt8(ascii: " ") { start += 1 }
        let text = content.extracting(start...)
        if text.starts(with: Array("{".utf8)) || text.starts(with: Array("[".utf8)) {
            self = .chrome
        } else if text.starts(with: Array("Thread,".utf8)) {
            self = .rmm
        } else if PlanningProblemColumns(header: text) != nil {
            self = .minimalloc
        } else {
            return nil
        }
    }
}
