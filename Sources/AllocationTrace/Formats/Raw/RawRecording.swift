package import Foundation

/// The file that a recorded process leaves behind. `CTraceRecorder/include/RawRecording.h` describes it.
///
/// What it holds comes from another process, which may have died in the middle of it: what is no record is passed over.
package struct RawRecording {
    private static let magic = Data("TPRAWREC".utf8)
    private static let version: UInt32 = 1
    private static let headerLength = 4096
    private static let blockLength = 1 << 16
    private static let recordLength = 32
    private static let nameLength = 64
    /// No address space of today is larger.
    private static let largestSize: UInt64 = 1 << 57

    package let path: String
    package let process: UInt32
    /// Which of the process's programs, from 0.
    package let number: Int
    /// The program's name, as the system had it.
    package let program: String
    private let file: FileHandle
    private let unixTime: Int64
    /// When it began, in nanoseconds of the monotonic clock.
    package let clockTime: UInt64
    private let droppedEvents: Int

    /// Nil where the file is not one, or has no whole header.
    package init?(path: String) {
        let name = URL(filePath: path).deletingPathExtension().lastPathComponent.split(separator: "-")
        guard name.count == 2, let process = UInt32(name[0]), let number = Int(name[1]),
            let file = FileHandle(forReadingAtPath: path),
            let header = try? file.read(upToCount: Self.headerLength), header.count == Self.headerLength,
            header.prefix(Self.magic.count) == Self.magic,
            header.number(UInt32.self, at: 8) == Self.version
        else { return nil }
        self.path = path
        self.process = process
        self.number = number
        self.file = file
        unixTime = Int64(clamping: header.number(UInt64.self, at: 16))
        clockTime = header.number(UInt64.self, at: 24)
        droppedEvents = Int(clamping: header.number(UInt64.self, at: 32))
        program = String(decoding: header[48..<(48 + Self.nameLength)].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The recordings in a folder, those of one process in the order in which it ran its programs. Where one was made
    /// and nothing could be written to it, the file has no header, and is left out.
    package static func all(in folder: URL) throws -> [RawRecording] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
            .compactMap { RawRecording(path: folder.appending(path: $0).path(percentEncoded: false)) }
            .sorted { ($0.process, $0.number) < ($1.process, $1.number) }
    }

    /// Writes the records as a trace. Memory: a block.
    /// - Parameter report: told how far it is, after every 8 MiB.
    package func write(to output: String, report: ((TraceReadProgress) -> Void)? = nil) throws {
        let clock = TraceClock(epoch: .unix, startNanoseconds: unixTime)
        var writer = try BinaryTraceWriter(
            path: output, header: BinaryTraceHeader(order: .time, clock: clock, machine: .current), atomically: true)
        var chunk = TraceChunk()
        let fileBytes = Int(clamping: try file.seekToEnd())
        try file.seek(toOffset: UInt64(Self.headerLength))
        var readBytes = Self.headerLength
        while let block = try file.read(upToCount: Self.blockLength), !block.isEmpty {
            for start in stride(from: 0, through: block.count - Self.recordLength, by: Self.recordLength) {
                guard let event = event(in: block, at: start) else { continue }
                if chunk.append(event) { continue }
                try writer.append(chunk)
                chunk.removeAll()
                _ = chunk.append(event)
            }
            readBytes += block.count
            if readBytes % (8 << 20) < block.count {
                report?(TraceReadProgress(contentBytes: readBytes, readBytes: readBytes, fileBytes: fileBytes))
            }
        }
        try writer.append(chunk)
        try writer.finish(droppedEvents: droppedEvents)
    }

    /// A trace without events, for a program that asked for nothing that is recorded.
    package static func writeEmpty(to output: String) throws {
        try BinaryTraceWriter(
            path: output, header: BinaryTraceHeader(order: .time, machine: .current), atomically: true
        ).finish()
    }

    private func event(in block: Data, at start: Int) -> RecordedEvent? {
        let kind: TraceEvent.Kind
        switch block.number(UInt32.self, at: start + 28) {
        case 1: kind = .allocate
        case 2: kind = .free
        default: return nil
        }
        let size = block.number(UInt64.self, at: start + 16)
        guard size <= Self.largestSize else { return nil }
        return RecordedEvent(
            kind: kind, address: block.number(UInt64.self, at: start + 8),
            byteCount: kind == .free ? nil : Int(size),
            thread: UInt64(block.number(UInt32.self, at: start + 24)),
            time: Int64(bitPattern: block.number(UInt64.self, at: start) &- clockTime))
    }
}

extension Data {
    /// The number in the machine's byte order that stands there. All of it has to be within the data.
    fileprivate func number<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type, at position: Int) -> Value {
        // The range check is the subscript's; the bytes are copied.
        let start = startIndex + position
        return unsafe self[start..<(start + MemoryLayout<Value>.size)].withUnsafeBytes {
            unsafe $0.loadUnaligned(as: Value.self)
        }
    }
}
