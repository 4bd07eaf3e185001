/// How far the reading of a trace is.
public struct TraceReadProgress: Sendable, Equatable {
    /// Bytes of content read, decompressed where the file is gzip.
    public let contentBytes: Int
    /// Bytes of the file read; of the content, where the input is no regular file.
    public let readBytes: Int
    /// The file's size in bytes; nil where the input is no regular file.
    public let fileBytes: Int?
}
