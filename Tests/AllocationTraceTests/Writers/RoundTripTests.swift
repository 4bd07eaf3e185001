import AllocationTrace
import Foundation
import Testing

@Suite struct RoundTripTests {
    private func roundTrip(
        _ trace: AllocationTrace, as format: TraceFormat, extension name: String
    ) throws -> AllocationTrace {
        let file = try TemporaryFile([UInt8](), extension: name)
        try TraceFile.write(trace, to: file.path, as: format)
        let read = try TraceFile.read(file.path)
        #expect(read.format == format)
        #expect(try file.bytes.starts(with: [0x1f, 0x8b]) == name.hasSuffix(".gz"))
        return read.trace
    }

    private static let traces = [bundledTracePath, sampleProfilePath]

    @Test(arguments: traces, ["tptrace", "tptrace.gz"])
    func binaryKeepsEverything(path: String, name: String) throws {
        let trace = try TraceFile.read(path).trace
        let back = try roundTrip(trace, as: .tptrace, extension: name)
        #expect(back.events == trace.events)
        #expect(back.releases == trace.releases)
        #expect(back.times == trace.times)
        #expect(back.addresses == trace.addresses)
        #expect(back.threads == trace.threads)
        #expect(back.clock == trace.clock)
        #expect(back.summary == trace.summary)
        #expect(back.irregularities.isEmpty)
    }

    @Test(arguments: traces, ["json", "json.gz"])
    func chromeKeepsEventsAndNanoseconds(path: String, name: String) throws {
        let trace = try TraceFile.read(path).trace
        let back = try roundTrip(trace, as: .chrome, extension: name)
        #expect(back.events == trace.events)
        #expect(back.times == trace.times)
        #expect(back.addresses == trace.addresses)
        #expect(back.threads == trace.threads)
        if trace.clock.epoch == .unix { #expect(back.clock == trace.clock) }
        #expect(back.irregularities.isEmpty)
    }

    @Test(arguments: traces, ["csv", "csv.gz"])
    func rmmKeepsEventsAndMicroseconds(path: String, name: String) throws {
        let trace = try TraceFile.read(path).trace
        let back = try roundTrip(trace, as: .rmm, extension: name)
        #expect(back.events == trace.events)
        #expect(back.addresses == trace.addresses)
        #expect(back.threads.map(\.id) == trace.threads.map(\.id))
        for (time, original) in zip(back.times, trace.times) { #expect(abs(time - original) < 1000) }
        #expect(back.irregularities.isEmpty)
    }

    /// Perfetto draws a track of each: live, cached and reserved bytes.
    @Test func chromeHasCountersOfSamples() throws {
        let file = try TemporaryFile([UInt8](), extension: "tptrace")
        var writer = try BinaryTraceWriter(path: file.path, header: BinaryTraceHeader(order: .time))
        var chunk = TraceChunk()
        for time in [1000, 4000] as [Int64] {
            let isAdded = chunk.append(
                RecordedEvent(kind: .allocate, address: UInt64(time), byteCount: 8, thread: 1, time: time))
            #expect(isAdded)
        }
        try writer.append(chunk)
        let samples = [0, 2500, 9000].map { (time: Int64) in
            PoolSample(time: time, liveBytes: Int(time), cachedBytes: Int(time) + 1, reservedBytes: Int(time) * 2 + 1)
        }
        try writer.append(samples)
        try writer.finish()
        let trace = try TraceFile.read(file.path).trace
        let json = try TemporaryFile([UInt8](), extension: "json")
        try TraceFile.write(trace, to: json.path, as: .chrome)
        let document = try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any]
        let all = try #require(document?["traceEvents"] as? [[String: Any]])
        let counters = all.filter { $0["ph"] as? String == "C" && $0["name"] as? String == "pool bytes" }
        #expect(counters.map { $0["ts"] as? Double } == [0, 1.5, 8])
        let figures = counters.map { $0["args"] as? [String: Int] }
        #expect(
            figures
                == samples.map {
                    ["live": $0.liveBytes, "cached": $0.cachedBytes, "reserved": $0.reservedBytes]
                })
        // In order of time among the others.
        let times = all.compactMap { $0["ts"] as? Double }
        #expect(times == times.sorted())
        // And read again: counters are not memory events.
        #expect(try TraceFile.read(json.path).trace.events == trace.events)
    }

    /// The bundled trace is RMM's own text: written again, not a byte differs.
    @Test func rmmTextComesBack() throws {
        let trace = try TraceFile.read(bundledTracePath).trace
        let file = try TemporaryFile([UInt8](), extension: "csv")
        try TraceFile.write(trace, to: file.path, as: .rmm)
        let written = try file.bytes
        let again = try TemporaryFile(written)
        try TraceFile.write(TraceFile.read(again.path).trace, to: file.path, as: .rmm)
        #expect(try file.bytes == written)
        let start = "Thread,Time,Action,Pointer,Size,Stream\n0,00:00:00.000000,allocate,0x"
        #expect(written.starts(with: Array(start.utf8)))
    }

    @Test(arguments: TraceFormat.writable)
    func tracesWithoutDetailsGetPlausibleOnes(format: TraceFormat) throws {
        let trace = try TraceFile.read(bundledTracePath, options: .init(details: [])).trace
        let back = try roundTrip(trace, as: format, extension: "x")
        #expect(back.events == trace.events)
        #expect(format == .tptrace ? back.times.isEmpty : back.times == trace.events.indices.map { Int64($0) * 1000 })
        // No two blocks that are alive overlap.
        var live: [(address: UInt64, end: UInt64)] = []
        for (event, address) in zip(back.events.prefix(3000), back.addresses) {
            if event.kind == .allocate {
                let end = address + UInt64(event.byteCount)
                #expect(live.allSatisfy { end <= $0.address || $0.end <= address })
                live.append((address, end))
            } else {
                live.removeAll { $0.address == address }
            }
        }
    }

    @Test(arguments: TraceFormat.writable)
    func tensorIDsAndOddNamesComeBack(format: TraceFormat) throws {
        let file = try TemporaryFile([UInt8](), extension: "tptrace")
        var writer = try BinaryTraceWriter(path: file.path, header: BinaryTraceHeader(order: .file))
        try writer.append([TraceThread(id: .max, name: "a \"b\" \\ \u{1}\n ö")])
        var chunk = TraceChunk()
        try chunk.expect(
            RecordedEvent(kind: .allocate, address: 64, byteCount: 8, thread: .max, time: 9, tensorID: 77))
        try writer.append(chunk)
        try writer.finish()
        let trace = try TraceFile.read(file.path).trace
        let back = try roundTrip(trace, as: format, extension: "x")
        #expect(back.events == trace.events)
        #expect(back.threads[0].id == .max)
        #expect(back.tensorIDs == (format == .rmm ? [] : [77]))
        #expect(back.threads[0].name == (format == .rmm ? nil : "a \"b\" \\ \u{1}\n ö"))
    }

    /// Perfetto reads strict JSON: so does Foundation.
    @Test func chromeTracesAreJSONWithACounter() throws {
        let file = try TemporaryFile([UInt8](), extension: "json")
        let trace = try TraceFile.read(sampleProfilePath).trace
        try TraceFile.write(trace, to: file.path, as: .chrome)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(file.bytes)) as? [String: Any])
        let events = try #require(document["traceEvents"] as? [[String: Any]])
        let counters = events.filter { $0["ph"] as? String == "C" }
        #expect(counters.count == trace.events.count)
        // The format asks of a counter for a name, a process, a time in microseconds, and numbers by series.
        for (counter, nanoseconds) in zip(counters, trace.times) {
            #expect(Set(counter.keys) == ["ph", "name", "pid", "ts", "args"])
            #expect(counter["name"] is String)
            #expect(counter["pid"] as? Int == 1)
            #expect(try #require(counter["ts"] as? Double) == Double(nanoseconds) / 1000)
            #expect(try #require(counter["args"] as? [String: Any]).values.allSatisfy { $0 is Int })
        }
        let live = counters.compactMap { ($0["args"] as? [String: Any])?["live"] as? Int }
        #expect(live.max() == trace.summary.peakLiveBytes)
        #expect(live.last == trace.summary.liveAtEndBytes)
    }

    @Test func aFailedWriteLeavesTheFileAsItWas() throws {
        let trace = try TraceFile.read(bundledTracePath).trace
        let folder = FileManager.default.temporaryDirectory.appending(path: "traces-\(UUID())")
        let error = try #require(throws: TraceWriteError.self) {
            try TraceFile.write(trace, to: folder.path(percentEncoded: false) + "/x.csv", as: .rmm)
        }
        #expect(error.description.contains("x.csv: cannot write the trace: No such file"))
        let file = try TemporaryFile("as it was")
        let planning = try #require(throws: TraceWriteError.self) {
            try TraceFile.write(trace, to: file.path, as: .minimalloc)
        }
        #expect(planning.description.contains("planning problems are read"))
        #expect(try file.bytes == Array("as it was".utf8))
        #if os(Linux)
        for format in TraceFormat.writable {
            let full = try #require(throws: TraceWriteError.self) {
                try TraceFile.write(trace, to: "/dev/full", as: format)
            }
            #expect(full.reason.contains("No space left"))
        }
        #endif
    }

    /// Such as a writer that is given up: no beginning of a file is left where a whole one was.
    @Test func anUnfinishedAtomicFileIsNotSeen() throws {
        let file = try TemporaryFile("as it was")
        do {
            var writer = try BinaryTraceWriter(
                path: file.path, header: BinaryTraceHeader(order: .file), atomically: true)
            try writer.flush()
        }
        #expect(try file.bytes == Array("as it was".utf8))
        let folder = URL(filePath: file.path).deletingLastPathComponent()
        let name = URL(filePath: file.path).lastPathComponent
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        #expect(left.filter { $0.hasPrefix(name) } == [name])
    }
}
