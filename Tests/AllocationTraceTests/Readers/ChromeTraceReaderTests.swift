@testable import AllocationTrace
import Foundation
import Testing

@Suite struct ChromeTraceReaderTests {
    private func read(_ text: String, options: TraceFile.Options = .init()) throws -> AllocationTrace {
        let file = try TemporaryFile(text)
        let read = try TraceFile.read(file.path, options: options)
        #expect(read.format == .chrome)
        return read.trace
    }

    private func error(_ text: String) throws -> TraceReadError {
        let file = try TemporaryFile(text)
        return try #require(throws: TraceReadError.self) { try TraceFile.read(file.path) }
    }

    @Test func readsMemoryEventsAmongOthers() throws {
        let trace = try read(smallProfile)
        #expect(trace.events.map(\.kind) == [.allocate, .allocate, .free, .free])
        #expect(trace.events.map(\.byteCount) == [100, 200, 100, 200])
        #expect(trace.events.map(\.thread) == [0, 0, 1, 0])
        #expect(trace.times == [0, 500, 1250, 2000])
        #expect(trace.addresses == [4096, 140_737_488_355_327, 4096, 140_737_488_355_327])
        #expect(trace.threads == [TraceThread(id: 11, name: "main"), TraceThread(id: 12)])
        #expect(trace.clock == TraceClock(epoch: .unix, startNanoseconds: 1_000_000_007_000))
        #expect(trace.tensorIDs == [])
        #expect(trace.irregularities.isEmpty)
    }

    /// The figures that an independent reading of the shared trace with Python's `json` gives.
    @Test func readsARealProfile() throws {
        let trace = try TraceFile.read(sampleProfilePath).trace
        #expect(trace.summary.eventCount == 303)
        #expect(trace.summary.allocationCount == 154)
        #expect(trace.summary.threadCount == 4)
        #expect(trace.summary.peakLiveBytes == 2_959_360)
        #expect(trace.irregularities.reorderedEvents == 195)
        #expect(trace.irregularities.reusedLiveAddresses == 0)
        #expect(trace.irregularities.unmatchedFrees == 0)
        #expect(trace.threads.allSatisfy { $0.name?.hasPrefix("thread ") == true })
        #expect(zip(trace.times, trace.times.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test func putsEventsInOrderAndRepairsWhatIsMissing() throws {
        let trace = try read(
            profile([
                memory(at: "5.0", 64, address: 1),
                memory(at: "1.0", 10, address: 2),
                memory(at: "5.0", -64, address: 1),
                memory(at: "2.0", 20, address: 2),
                memory(at: "3.0", -5, address: 9),
            ]))
        #expect(trace.events.map(\.byteCount) == [10, 10, 20, 64, 64])
        #expect(trace.events.map(\.kind) == [.allocate, .free, .allocate, .allocate, .free])
        #expect(trace.times == [0, 1000, 1000, 4000, 4000])
        #expect(trace.irregularities.reorderedEvents == 3)
        #expect(trace.irregularities.reusedLiveAddresses == 1)
        #expect(trace.irregularities.unmatchedFrees == 1)
    }

    @Test func countsWhatItLeavesOut() throws {
        let text = profile([
            memory(at: "1", 10, address: 1), memory(at: "2", 10, address: 2, more: #","Device Type":1"#),
            memory(at: "3", 10, address: 3, process: 8), memory(at: "4", 0, address: 4),
            #"{"ph":"i","name":"[memory]","pid":7,"tid":1,"ts":5,"args":{"Bytes":1}}"#,
            #"{"ph":"i","name":"[memory]","pid":7,"tid":1,"ts":"x","args":{"Bytes":1,"Addr":5}}"#,
            #"{"ph":"i","name":"[memory]","pid":7,"tid":1,"ts":6,"args":{"Bytes":-9223372036854775808,"Addr":5}}"#,
            #"{"ph":"i","name":"[memory]","pid":7,"tid":1,"ts":1e300,"args":{"Bytes":1,"Addr":5}}"#,
            #"{"ph":"X","name":"[memory]","pid":7,"tid":1,"ts":7,"args":{"Bytes":1,"Addr":5}}"#,
        ])
        let trace = try read(text)
        #expect(trace.summary.eventCount == 1)
        #expect(trace.irregularities.otherDeviceEvents == 1)
        #expect(trace.irregularities.otherProcessEvents == 1)
        #expect(trace.irregularities.emptyAllocations == 1)
        #expect(trace.irregularities.incompleteEvents == 4)
        let other = try read(text, options: TraceFile.Options(deviceType: 1))
        #expect(other.addresses == [2])
    }

    @Test(arguments: [
        // Order of keys, white space, escapes, and what stands beside.
        #"[{"args":{"Addr":1,"Bytes":5},"ts":1,"tid":2,"pid":3,"name":"[memory]","ph":"i"}]"#,
        "\u{FEFF} \t\r\n[\n{\"ph\"\n:\t\"i\" , \"name\":\"[memory]\",\"ts\":1,\"args\":{\"Bytes\":5 ,\"Addr\" :1}}\n]\n\n",
        #"[{"\u0070h":"\u0069","name":"\u005bmemor\u0079]","ts":1,"args":{"B\u0079tes":5,"Addr":1}}]"#,
        #"[{"ph":"I","name":"[memory]","ts":10E-1,"args":{"Bytes":5e0,"Addr":1}}"#,
        #"[{"ph":"i","name":"[memory]","ts":1,"args":{"Bytes":5,"Addr":1}},"#,
        #"[{"ph":"i","name":"[memory]","ts":1,"args":{"Bytes":5,"Addr":1},},]"#,
        #"[null,1,"}",[[]],{"ph":"i","name":"[memory]","ts":1,"args":{"a":{"b":["]}\"",{}]},"Bytes":5,"Addr":1}}]"#,
        #"{"a":{"traceEvents":[1]},"traceEvents":[{"ph":"i","name":"[memory]","ts":1,"args":{"Bytes":5,"Addr":1}}],"z":nan}"#,
        #"[{"ph":"i","ph":"i","x":"\\","y":"\\\"","name":"[memory]","ts":1,"args":{"Bytes":5,"Addr":1}}]"#,
        #"[{"ph":"i","name":"[memory]","args":{"Bytes":5,"Addr":1,"l":"LONG"},"k":"LONG","LONG":{},"ts":1}]"#,
    ])
    func survivesAnySpelling(text: String) throws {
        let long = String(repeating: #"x\"y"#, count: 100_000)
        let trace = try read(text.replacing("LONG", with: long))
        #expect(trace.events.map(\.byteCount) == [5])
        #expect(trace.addresses == [1])
        #expect(!trace.irregularities.isTruncated)
    }

    /// The buffer ends at every place of an event once.
    @Test func bufferBoundariesDoNotMatter() throws {
        let event =
            #"{"ph":"i","n\u0061me":"[mem\u006fry]","pid":7,"tid":12345,"ts":123456.789,"#
            + #""args":{"x":["\\","\"",{"y":[]}],"Bytes":1234567,"Addr":9876543210}}"#
        for padding in 0..<(event.utf8.count + 10) {
            let text = "[" + String(repeating: " ", count: 4096 - 300 + padding) + event + "," + event + "]"
            let file = try TemporaryFile(text)
            var builder = AllocationTraceBuilder(maximumEvents: 10)
            var scanner = JSONScanner(try TraceInput(path: file.path, bufferSize: 4096))
            var count = 0
            try ChromeTraceReader.read(from: &scanner, deviceType: 0, into: &builder, eventCount: &count)
            let trace = builder.finish()
            #expect(trace.events.map(\.byteCount) == [1_234_567, 1_234_567, 1_234_567], "padding \(padding)")
            #expect(trace.addresses.allSatisfy { $0 == 9_876_543_210 }, "padding \(padding)")
            #expect(trace.threads == [TraceThread(id: 12345)], "padding \(padding)")
            #expect(trace.times == [0, 0, 0], "padding \(padding)")
        }
    }

    /// A string that fills the whole buffer, and whose last byte there is a backslash.
    @Test func longStringsMayEndAnywhere() throws {
        for length in 4090...4100 {
            let long = String(repeating: "x", count: length) + #"\""#
            let key = #"{"\#(long)":1,"ph":"i","name":"[memory]","ts":1,"args":{"Bytes":5,"Addr":1}}"#
            for padding in [4096 - 3, 4096 - 2, 4096 - 1] {
                let file = try TemporaryFile("[" + String(repeating: " ", count: padding) + key + "]")
                var builder = AllocationTraceBuilder(maximumEvents: 10)
                var scanner = JSONScanner(try TraceInput(path: file.path, bufferSize: 4096))
                var count = 0
                try ChromeTraceReader.read(from: &scanner, deviceType: 0, into: &builder, eventCount: &count)
                #expect(builder.finish().irregularities.isEmpty, "length \(length), padding \(padding)")
                #expect(count == 1, "length \(length), padding \(padding)")
            }
        }
    }

    /// Cut anywhere, a profile gives a beginning of its events and says so, or an error.
    @Test func truncationIsSurvived() throws {
        let bytes = Array(smallProfile.utf8)
        let file = try TemporaryFile(bytes)
        let whole = try TraceFile.read(file.path).trace.events
        var traces = 0
        for length in 0..<(bytes.count - 2) {
            let cut = try TemporaryFile(bytes[..<length])
            do throws(TraceReadError) {
                let trace = try TraceFile.read(cut.path).trace
                #expect(trace.irregularities.isTruncated, "cut to \(length) bytes")
                #expect(whole.starts(with: trace.events))
                traces += 1
            } catch {
                #expect(error.eventCount == 0)
            }
        }
        #expect(traces > bytes.count / 2)
    }

    @Test(arguments: [
        (#"{"traceEvents":{}}"#, "an array of events", 15),
        (#"{"traceEvents" []}"#, "a colon", 15),
        (#"{"other":[]}"#, "an array traceEvents", 12),
        (#"{"other":[}"#, "the closing bracket", 10),
        (#"{"a":1 "b"}"#, "a comma", 7),
        (#"{1:2}"#, "a string", 1),
        (#"[{"ph":"i" "name":1}]"#, "a comma", 11),
        (#"[{"name":}]"#, "a value", 9),
        (#"[{}] x"#, "the end of the file", 5),
        (#"[{"ph":"X","a":]}]"#, "the closing bracket", 15),
        ("[]", "memory events", 2),
        (#"[{"ph":"X"}]"#, "profile_memory=True", 12),
    ])
    func namesWhatIsMalformed(text: String, expected: String, offset: Int) throws {
        let error = try error(text)
        guard case .malformed(let named, _) = error.problem else {
            Issue.record("not malformed: \(error)")
            return
        }
        #expect(named.contains(expected))
        #expect(error.position == .byte(offset))
        #expect(error.description.contains(": at byte \(offset): expected "))
    }

    @Test func tellsHowManyEventsWereRead() throws {
        let error = try error("[" + memory(at: "1", 5, address: 1) + "," + memory(at: "2", -5, address: 1) + ",{]")
        #expect(error.eventCount == 2)
        #expect(error.description.hasSuffix("(2 events read before it)"))
    }

    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(try error(#"{"a":"# + deep).description.contains("brackets within each other"))
        let fine = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(try read(#"{"a":\#(fine),"traceEvents":[\#(memory(at: "1", 5, address: 1))]}"#).events.count == 1)
    }

    @Test func limitsEventsAndThreads() throws {
        let text = profile((0..<5).map { memory(at: "\($0)", 5, address: $0 + 1) })
        #expect(try read(text, options: .init(maximumEvents: 5)).events.count == 5)
        let file = try TemporaryFile(text)
        let error = try #require(throws: TraceReadError.self) {
            try TraceFile.read(file.path, options: .init(maximumEvents: 4))
        }
        #expect(error.problem == .limitExceeded(.events(limit: 4)))
        #expect(error.eventCount == 4)
    }

    @Test func namesThreadsThatHaveNoNumber() throws {
        let trace = try read(#"[{"ph":"i","name":"[memory]","tid":"w\u00f6rker","ts":1,"args":{"Bytes":5,"Addr":1}}]"#)
        #expect(trace.threads.map(\.name) == ["wörker"])
        #expect(trace.threads[0].id >= 1 << 63)
    }
}

/// A memory event as PyTorch writes it, on one line.
func memory(at time: String, _ byteCount: Int, address: Int, process: Int = 7, more: String = "") -> String {
    #"{"ph":"i","cat":"cpu_instant_event","s":"t","name":"[memory]","pid":\#(process),"tid":1,"ts":\#(time),"#
        + #""args":{"Total Reserved":0,"Bytes":\#(byteCount),"Addr":\#(address)\#(more),"Ev Idx":1}}"#
}

func profile(_ events: [String]) -> String {
    #"{"schemaVersion":1,"traceEvents":["# + events.joined(separator: ",\n") + "]}"
}

/// Four memory events on two threads among others, with nothing odd.
let smallProfile = """
    {
      "schemaVersion": 1, "deviceProperties": [{"id": 0, "name": "a \\"b\\" }"}],
      "baseTimeNanoseconds": 1000000000000,
      "traceEvents": [
      {"ph": "M", "name": "thread_name", "ts": 1.5, "pid": 7, "tid": 11, "args": {"name": "main"}},
      {"ph": "M", "name": "process_name", "ts": 1.5, "pid": 7, "tid": 0, "args": {"name": "python"}},
      {"ph": "X", "cat": "cpu_op", "name": "aten::add", "pid": 7, "tid": 11, "ts": 6.5, "dur": 3.25,
        "args": {"Input Dims": [[1, 2], []], "Bytes": 4, "Addr": 5}},
      {"ph": "i", "s": "t", "name": "[memory]", "pid": 7, "tid": 11, "ts": 7.000
        , "args": {"Bytes": 100, "Device Id": -1, "Device Type": 0, "Addr": 4096, "finished": false}},
      {"ph": "i", "s": "t", "name": "[memory]", "pid": 7, "tid": 11, "ts": 7.500
        , "args": {"Bytes": 200, "Device Id": -1, "Device Type": 0, "Addr": 140737488355327, "finished": false}},
      {"ph": "i", "s": "t", "name": "mark", "pid": 7, "tid": 11, "ts": 7.6, "args": {"Bytes": 1, "Addr": 1}},
      {"ph": "i", "s": "t", "name": "[memory]", "pid": 7, "tid": 12, "ts": 8.250
        , "args": {"Bytes": -100, "Device Id": -1, "Device Type": 0, "Addr": 4096, "finished": false}},
      {"ph": "i", "s": "t", "name": "[memory]", "pid": 7, "tid": 11, "ts": 9
        , "args": {"Bytes": -200, "Device Id": -1, "Device Type": 0, "Addr": 140737488355327, "finished": false}}
      ], "traceName": "x.json"
    }
    """

/// A part of a profile that PyTorch 2.13 wrote, with four threads: see the folder's README.
let sampleProfilePath = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Samples/torch_profiler_threads.json.gz").path(percentEncoded: false)
