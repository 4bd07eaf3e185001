import AllocationTrace
import CZlib
import Foundation
import Testing

/// A file that is gone when this object is.
final class TemporaryFile {
    let path: String

    init(_ bytes: some Sequence<UInt8>, extension name: String = "") throws {
        let file = "trace-\(UUID())" + (name.isEmpty ? "" : "." + name)
        path = FileManager.default.temporaryDirectory.appending(path: file).path(percentEncoded: false)
        try Data(bytes).write(to: URL(filePath: path))
    }

    convenience init(_ text: String) throws {
        try self.init(Array(text.utf8))
    }

    convenience init(gzip text: String) throws {
        try self.init(gzip: Array(text.utf8))
    }

    convenience init(gzip bytes: [UInt8]) throws {
        try self.init([UInt8]())
        let file = unsafe try #require(gzopen(path, "wb"))
        #expect(unsafe gzwrite(file, bytes, UInt32(bytes.count)) == Int32(bytes.count))
        #expect(unsafe gzclose(file) == Z_OK)
    }

    /// Faster than another file.
    func replace(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(filePath: path))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Reads it as a trace. A method, so that the file lives until it has been read.
    func read(_ reader: RMMTraceReader = RMMTraceReader()) throws(TraceReadError) -> AllocationTrace {
        try reader.read(path: path)
    }

    var bytes: [UInt8] {
        get throws { try Array(Data(contentsOf: URL(filePath: path))) }
    }
}

/// The trace that the repository brings along.
let bundledTracePath = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Benchmarks/Traces/train_transformer.tensor.csv.gz").path(percentEncoded: false)

/// Five events on two threads, with nothing odd.
let smallLog = """
    Thread,Time,Action,Pointer,Size,Stream
    77,00:00:00.000000,allocate,0x1000,100,0
    77,00:00:00.000001,allocate,0x2000,200,0
    78,00:00:00.000002,free,0x1000,100,0
    77,00:00:00.000003,allocate,0x1000,50,0
    77,00:00:00.000004,free,0x2000,200,0

    """
