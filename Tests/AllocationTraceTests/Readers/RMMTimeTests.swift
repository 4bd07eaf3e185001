import AllocationTrace
import Testing

@Suite struct RMMTimeTests {
    private func read(times: [String]) throws -> AllocationTrace {
        let rows = times.indices.map { "1,\(times[$0]),allocate,0x\(String($0 + 1, radix: 16)),1,0\n" }
        return try TemporaryFile("Thread,Time,Action,Pointer,Size,Stream\n" + rows.joined()).read()
    }

    @Test func readsTimesOfDay() throws {
        let trace = try read(times: ["10:00:01.000002", "10:00:01.000003", "10:01:01.5", "11:00:01:000002"])
        #expect(trace.times == [0, 1000, 60_499_998_000, 3_600_000_000_000])
        #expect(trace.clock == TraceClock(epoch: .midnight, startNanoseconds: 36_001_000_002_000))
        #expect(trace.irregularities.isEmpty)
        #expect(trace.durationNanoseconds == 3_600_000_000_000)
    }

    @Test func readsMicroseconds() throws {
        let trace = try read(times: ["1690000000000000", "1690000000000001.5", "1690000000000002.123456"])
        #expect(trace.times == [0, 1500, 2123])
        #expect(trace.clock == TraceClock(epoch: .recording, startNanoseconds: 1_690_000_000_000_000_000))
        #expect(trace.irregularities.isEmpty)
    }

    @Test func passesMidnight() throws {
        let trace = try read(times: ["23:59:59.000000", "00:00:01.000000", "00:00:02.000000"])
        #expect(trace.times == [0, 2_000_000_000, 3_000_000_000])
        #expect(trace.irregularities.clockSteps == 0)
    }

    /// Threads that log a little late are put beside their predecessors; a clock that was set back moves what follows.
    @Test func survivesClockSteps() throws {
        let jitter = try read(times: ["00:00:00.000010", "00:00:00.000009", "00:00:00.000012"])
        #expect(jitter.times == [0, 0, 2000])
        #expect(jitter.irregularities.clockSteps == 1)
        let setBack = try read(times: ["02:00:00.0", "02:00:05.0", "01:00:00.0", "01:00:01.0"])
        #expect(setBack.times == [0, 5_000_000_000, 5_000_000_000, 6_000_000_000])
        #expect(setBack.irregularities.clockSteps == 1)
        let extreme = try read(times: ["-9223372036854775", "9223372036854775", "0"])
        #expect(extreme.times.allSatisfy { $0 >= 0 })
        #expect(extreme.irregularities.clockSteps >= 1)
    }

    @Test(arguments: [
        "t", "", "25:00:00.0", "10:60:00.0", "10:00:61.0", "10:00:00", "10:00:00.", "1:2:3.4", "1-2", "1e", "nan",
    ])
    func countsWhatIsNoTime(text: String) throws {
        let trace = try read(times: ["5", text, "7"])
        #expect(trace.times == [0, 0, 2000])
        #expect(trace.irregularities.unreadableTimes == 1)
        let alone = try read(times: [text, text])
        #expect(alone.times == [])
        #expect(alone.events.count == 2)
    }

    /// Nanoseconds hold 292 years.
    @Test func manyMidnightsDoNotOverflow() throws {
        let row = { (time: String) in "1,\(time),free,0x1,0,0\n" }
        let day = row("23:00:00.0") + row("01:00:00.0")
        let log = "Thread,Time,Action,Pointer,Size,Stream\n" + String(repeating: day, count: 110_000)
        let trace = try TemporaryFile(log + "1,23:00:00.0,allocate,0x1,1,0\n").read()
        #expect(trace.times == [0])
    }

    @Test func keepsOnlyTheDetailsAskedFor() throws {
        let file = try TemporaryFile(smallLog)
        let none = try TraceFile.read(file.path, options: .init(details: [])).trace
        #expect(none.times.isEmpty && none.addresses.isEmpty && none.tensorIDs.isEmpty)
        let times = try TraceFile.read(file.path, options: .init(details: .times)).trace
        #expect(times.times == [0, 1000, 2000, 3000, 4000])
        #expect(times.addresses.isEmpty)
        #expect(times.events == none.events)
    }
}
