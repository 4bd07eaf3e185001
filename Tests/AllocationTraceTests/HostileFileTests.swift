import AllocationTrace
import Foundation
import Testing

/// Nothing that a file holds may crash, hang, or take memory without bound.
@Suite struct HostileFileTests {
    private func problem(_ file: TemporaryFile, _ reader: RMMTraceReader = .init()) throws -> TraceReadError.Problem {
        try #require(throws: TraceReadError.self) { try file.read(reader) }.problem
    }

    @Test func gzipReadsLikePlain() throws {
        let file = try TemporaryFile(gzip: smallLog)
        #expect(try file.bytes.starts(with: [0x1f, 0x8b]))
        let plain = try TemporaryFile(smallLog)
        let trace = try file.read()
        #expect(try trace.events == plain.read().events)
        #expect(!trace.irregularities.isTruncated)
    }

    /// Cut anywhere, the file gives a beginning of its events and says so, or has not even a header.
    @Test func truncatedGzipIsSurvived() throws {
        let bytes = try TemporaryFile(gzip: smallLog).bytes
        let whole = try TemporaryFile(bytes).read().events
        for length in 0..<bytes.count {
            let file = try TemporaryFile(bytes[..<length])
            do throws(TraceReadError) {
                let trace = try file.read()
                #expect(trace.irregularities.isTruncated, "cut to \(length) bytes")
                #expect(whole.starts(with: trace.events))
            } catch {
                #expect(error.eventCount == 0)
            }
        }
    }

    @Test func truncatedBundledTraceIsSurvived() throws {
        let bytes = try Array(Data(contentsOf: URL(filePath: bundledTracePath)))
        let whole = try RMMTraceReader().read(path: bundledTracePath).events
        let trace = try TemporaryFile(bytes[..<(bytes.count / 2)]).read()
        #expect(trace.irregularities.isTruncated)
        #expect(trace.events.count > 1000)
        #expect(trace.events.count < whole.count)
        #expect(whole.starts(with: trace.events))
    }

    @Test func damagedGzipIsAnError() throws {
        var bytes = try TemporaryFile(gzip: smallLog).bytes
        // The check sum stands 8 bytes before the end.
        bytes[bytes.count - 8] ^= 0xff
        guard case .cannotRead(let reason) = try problem(TemporaryFile(bytes)) else {
            Issue.record("a wrong check sum went unseen")
            return
        }
        #expect(reason.contains("incorrect data check"))
    }

    @Test(arguments: [4097, 300_000, 3_000_000])
    func longLinesAreErrors(length: Int) throws {
        let line = String(repeating: "7", count: length)
        for text in [line, smallLog + line, smallLog + line + "\n" + smallLog] {
            for file in [try TemporaryFile(text), try TemporaryFile(gzip: text)] {
                guard case .malformed(let expected, _) = try problem(file) else {
                    Issue.record("a line of \(length) bytes was read")
                    return
                }
                #expect(expected == "a line of at most 4096 bytes")
            }
        }
    }

    @Test func tooManyEventsAreAnError() throws {
        let file = try TemporaryFile(smallLog)
        #expect(try file.read(RMMTraceReader(maximumEvents: 5)).events.count == 5)
        #expect(try problem(file, RMMTraceReader(maximumEvents: 4)) == .limitExceeded(.events(limit: 4)))
    }

    @Test func tooManyThreadsAreAnError() throws {
        var log = "Thread,Time,Action,Pointer,Size,Stream\n"
        for thread in 0...AllocationTraceBuilder.maximumThreads {
            log += "\(thread),t,allocate,0x\(String(thread + 1, radix: 16)),1,0\n"
        }
        let limit = AllocationTraceBuilder.LimitExceeded.threads(limit: AllocationTraceBuilder.maximumThreads)
        #expect(try problem(TemporaryFile(log)) == .limitExceeded(limit))
    }

    @Test func impossibleSizesAreErrors() throws {
        let limit = AllocationTraceBuilder.LimitExceeded.liveBytes(limit: AllocationTraceBuilder.maximumLiveBytes)
        for rows in ["1,t,allocate,0x1,9223372036854775807,0\n", "1,t,allocate,0x1,144115188075855872,0\n"] {
            #expect(try problem(TemporaryFile(smallLog + rows)) == .limitExceeded(limit))
        }
    }
}
