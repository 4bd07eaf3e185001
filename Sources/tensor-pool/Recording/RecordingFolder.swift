import AllocationTrace
import Foundation

/// The folder beside the output in which processes leave their recordings, and what becomes of them.
struct RecordingFolder {
    let url: URL
    let output: String

    /// A folder that is there: of a recording that was not converted.
    init(existing folder: String, for output: String) {
        url = URL(filePath: folder)
        self.output = output
    }

    /// Makes the folder; where that fails, the output could not be written either.
    init(for output: String) throws(RecordedProgram.Failure) {
        let place = URL(filePath: output).deletingLastPathComponent().path(percentEncoded: false)
        let name = URL(filePath: output).lastPathComponent
        // An absolute path: the program may change its folder.
        let absolute = place.hasPrefix("/") ? place : FileManager.default.currentDirectoryPath + "/" + place
        var template = Array((absolute + "/" + name + ".recording-XXXXXX").utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw .cannotMakeFolder(path: absolute, reason: unsafe String(cString: strerror(errno)))
        }
        url = URL(filePath: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        self.output = output
    }

    var path: String { url.path(percentEncoded: false) }

    func remove() {
        try? FileManager.default.removeItem(at: url)
    }

    /// A trace that was made of a recording.
    struct Written {
        let path: String
        /// Nil where the program left none.
        let recording: RawRecording?
    }

    /// Writes the trace of the last program that `process` ran to the output, and those of other processes beside it.
    /// - Parameter process: nil for that which recorded first, and has to be there.
    func convert(process: pid_t?, _ loading: TraceLoading) throws -> [Written] {
        // Of one process, its last program.
        let recordings = Dictionary(try all().map { ($0.process, $0) }) { $1 }.values
            .sorted { ($0.clockTime, $0.process) < ($1.clockTime, $1.process) }
        let main = recordings.first { process == nil || $0.process == UInt32(bitPattern: process ?? 0) }
        guard main != nil || process != nil else { throw RecordedProgram.Failure.noRecording(path: path) }
        if let main { try loading.convert(main, to: output) } else { try RawRecording.writeEmpty(to: output) }
        var written = [Written(path: output, recording: main)]
        for recording in recordings where recording.process != main?.process {
            let path = pathBeside(String(recording.process))
            try loading.convert(recording, to: path)
            written.append(Written(path: path, recording: recording))
        }
        return written
    }

    private func all() throws(RecordedProgram.Failure) -> [RawRecording] {
        do {
            return try RawRecording.all(in: url)
        } catch {
            throw .cannotReadFolder(path: path, reason: error.systemReason)
        }
    }

    /// `trace.tptrace` becomes `trace.MARK.tptrace`.
    private func pathBeside(_ mark: String) -> String {
        for suffix in [".tptrace.gz", ".tptrace"] where output.hasSuffix(suffix) {
            return output.dropLast(suffix.count) + "." + mark + suffix
        }
        return output + "." + mark
    }
}
