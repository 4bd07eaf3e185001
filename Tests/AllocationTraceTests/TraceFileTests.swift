import AllocationTrace
import Testing

@Suite struct TraceFileTests {
    @Test func knowsFormatsByContent() throws {
        let problem = "id,lower,upper,size\n1,0,5,3\n"
        for (text, format) in [(smallLog, TraceFormat.rmm), (smallProfile, .chrome), (problem, .minimalloc)] {
            for file in [try TemporaryFile(text), try TemporaryFile(gzip: text), try TemporaryFile("\u{FEFF}" + text)] {
                #expect(try TraceFile.read(file.path).format == format)
            }
        }
    }

    @Test(arguments: ["", "hello", "\u{0}\u{1}\u{2}", "a,b,c\n", "TPT"])
    func namesWhatIsNoTrace(text: String) throws {
        let file = try TemporaryFile(text)
        let error = try #require(throws: TraceReadError.self) { try TraceFile.read(file.path) }
        guard case .unknownFormat = error.problem else {
            Issue.record("\(error)")
            return
        }
        #expect(error.description.contains("an RMM log (Thread,Time,Action,Pointer,Size,Stream)"))
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 32 })
    }

    @Test func tellsWhatCannotBeOpened() throws {
        let error = try #require(throws: TraceReadError.self) { try TraceFile.read("/nonexistent/trace") }
        #expect(error.description == "/nonexistent/trace: cannot open the trace: No such file or directory")
        #expect(throws: TraceReadError.self) { try TraceFile.read("/") }
    }

    @Test(arguments: [
        ("a.csv", TraceFormat.rmm), ("a.csv.gz", .rmm), ("b/a.json", .chrome), ("a.json.gz", .chrome),
        ("a.tptrace", .tptrace), ("a.tptrace.gz", .tptrace), ("a.txt", nil), ("-", nil), ("a.gz", nil),
    ])
    func knowsFormatsToWriteByName(path: String, format: TraceFormat?) {
        #expect(TraceFormat(writingTo: path) == format)
    }

    @Test func reportsProgress() throws {
        // Long rows: what is looked at is how often it reports.
        let row = String(repeating: "0", count: 4000) + "1,00:00:00.000000,free,0x1,1,0\n"
        let rows = String(repeating: row, count: (17 << 20) / row.utf8.count)
        let text = "Thread,Time,Action,Pointer,Size,Stream\n" + rows
        let plain = try TemporaryFile(text)
        var reports: [TraceReadProgress] = []
        _ = try TraceFile.read(plain.path) { reports.append($0) }
        #expect(reports.count == 2)
        #expect(reports.allSatisfy { $0.fileBytes == text.utf8.count && $0.readBytes <= text.utf8.count })
        #expect(reports.allSatisfy { $0.contentBytes >= 8 << 20 })
        let compressed = try TemporaryFile(gzip: text)
        reports = []
        _ = try TraceFile.read(compressed.path) { reports.append($0) }
        #expect(reports.count == 2)
        #expect(reports.allSatisfy { $0.readBytes <= $0.fileBytes ?? 0 && $0.contentBytes > $0.readBytes })
    }
}
