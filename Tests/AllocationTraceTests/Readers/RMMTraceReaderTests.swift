import AllocationTrace
import Testing

@Suite struct RMMTraceReaderTests {
    private func read(_ text: String) throws -> AllocationTrace {
        let file = try TemporaryFile(text)
        return try file.read()
    }

    private func read(rows: String...) throws -> AllocationTrace {
        try read("Thread,Time,Action,Pointer,Size,Stream\n" + rows.joined(separator: "\n") + "\n")
    }

    @Test func readsEventsWithDenseSlotsAndThreads() throws {
        let trace = try read(smallLog)
        let expected: [(TraceEvent.Kind, UInt32, Int, UInt16)] = [
            (.allocate, 0, 100, 0), (.allocate, 1, 200, 0), (.free, 0, 100, 1), (.allocate, 0, 50, 0),
            (.free, 1, 200, 0),
        ]
        try #require(trace.events.count == expected.count)
        for (event, expected) in zip(trace.events, expected) {
            #expect((event.kind, event.slot, event.byteCount, event.thread) == expected)
        }
        #expect(trace.slotCount == 2)
        #expect(trace.releases.map(\.slot) == [0])
        #expect(trace.irregularities.isEmpty)
    }

    @Test func sumsUp() throws {
        let summary = try read(smallLog).summary
        #expect(summary.eventCount == 5)
        #expect(summary.allocationCount == 3)
        #expect(summary.freeCount == 2)
        #expect(summary.threadCount == 2)
        #expect(summary.crossThreadFreeCount == 1)
        #expect(summary.peakLiveBytes == 300)
        #expect(summary.peakLiveBlocks == 2)
        #expect(summary.allocatedBytes == 350)
        #expect(summary.largestAllocationBytes == 200)
        #expect(summary.liveAtEndBytes == 50)
        #expect(summary.liveAtEndBlocks == 1)
    }

    @Test func readsTheBundledTrace() throws {
        let trace = try RMMTraceReader().read(path: bundledTracePath)
        #expect(trace.summary.eventCount == 11_917)
        #expect(trace.summary.threadCount == 1)
        // 311.6 MiB.
        #expect(trace.summary.peakLiveBytes == 326_696_960)
        #expect(trace.irregularities.isEmpty)
    }

    @Test func survivesWhatRealLogsHold() throws {
        let trace = try read(
            rows: "1,t,free,0x9000,10,0",
            "1,t,allocate,0x1000,100,0",
            "1,t,allocate,0x1000,60,0",
            "1,t,allocate failure,(nil),4000,0",
            "1,t,allocate,(nil),0,0",
            "1,t,free,(nil),0,0",
            "1,t,free,0x1000,61,ff"
        )
        #expect(trace.irregularities.unmatchedFrees == 1)
        #expect(trace.irregularities.reusedLiveAddresses == 1)
        #expect(trace.irregularities.failedAllocations == 1)
        #expect(trace.irregularities.emptyAllocations == 1)
        #expect(trace.irregularities.mismatchedSizes == 1)
        #expect(!trace.irregularities.isTruncated)
        // The lost free of 100 bytes is put in before the address is used again.
        #expect(trace.events.map(\.kind) == [.allocate, .free, .allocate, .free])
        #expect(trace.events.map(\.byteCount) == [100, 100, 60, 60])
        #expect(trace.summary.peakLiveBytes == 100)
        #expect(trace.releases.isEmpty)
    }

    @Test(arguments: [
        smallLog.replacing("\n", with: "\r\n"),
        smallLog.replacing("\n", with: "\n\n"),
        String(smallLog.dropLast()),
        smallLog.replacing("0x", with: "0x0000"),
    ])
    func readsOtherSpellings(log: String) throws {
        #expect(try read(log).events == read(smallLog).events)
    }

    @Test func aCutLastRowIsTruncation() throws {
        let trace = try read(smallLog + "77,00:00:00.000005,free,0x10")
        #expect(trace.events.count == 5)
        #expect(trace.irregularities.isTruncated)
    }

    @Test(arguments: [
        ("x,t,free,0x1,1,0", "a thread number"),
        ("-1,t,free,0x1,1,0", "a thread number"),
        ("99999999999999999999,t,free,0x1,1,0", "a thread number"),
        ("1,t,alocate,0x1,1,0", "an action"),
        ("1,t,,0x1,1,0", "an action"),
        ("1,t,free,1000,1,0", "a pointer"),
        ("1,t,free,0x,1,0", "a pointer"),
        ("1,t,free,0x12345678901234567,1,0", "a pointer"),
        ("1,t,free,0xfg,1,0", "a pointer"),
        ("1,t,allocate,(nil),1,0", "the address of a block"),
        ("1,t,free,0x1,,0", "a size"),
        ("1,t,free,0x1,-5,0", "a size"),
        ("1,t,free,0x1,1e3,0", "a size"),
        ("1,t,free,0x1,9223372036854775808,0", "a size"),
        ("1,t,free,0x1,99999999999999999999999,0", "a size"),
        ("1,t,free,0x1,1", "a size and more fields"),
        ("1", "a thread number and more fields"),
        ("1,t,free,0x1,1,0,0", "sixth and last"),
        (",,,,,", "a thread number"),
    ])
    func namesWhatIsMalformed(row: String, expected: String) throws {
        let file = try TemporaryFile(smallLog + row + "\n" + "1,t,allocate,0x1,1,0\n")
        let error = try #require(throws: TraceReadError.self) { try file.read() }
        #expect(error.file == file.path)
        #expect(error.line == 7)
        #expect(error.eventCount == 5)
        guard case .malformed(let named, _) = error.problem else {
            Issue.record("not a malformed row: \(error)")
            return
        }
        #expect(named.contains(expected))
        #expect(error.description.hasPrefix("\(file.path):7: expected "))
    }

    @Test(arguments: ["", "\n", "Thread,Time\n", "[{\"ph\": 1}]", "\u{1}\u{2}"])
    func wantsItsHeader(text: String) throws {
        let file = try TemporaryFile(text)
        let error = try #require(throws: TraceReadError.self) { try file.read() }
        #expect(error.description.contains("expected the header"))
        #expect(error.eventCount == 0)
        // Nothing unprintable reaches the terminal.
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 32 })
    }

    @Test func tellsWhatCannotBeOpened() throws {
        let error = try #require(throws: TraceReadError.self) {
            try RMMTraceReader().read(path: "/nonexistent/trace.csv")
        }
        guard case .cannotOpen(let reason) = error.problem else {
            Issue.record("not an open problem: \(error)")
            return
        }
        #expect(reason.contains("No such file"))
    }

    @Test func tellsThatADirectoryIsNoTrace() throws {
        let error = try #require(throws: TraceReadError.self) { try RMMTraceReader().read(path: "/") }
        switch error.problem {
        case .cannotOpen, .cannotRead: break
        default: Issue.record("not a system problem: \(error)")
        }
    }
}
