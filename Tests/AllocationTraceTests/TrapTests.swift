import AllocationTrace
import Testing

/// What stops the program by design, in `AllocationTrace`. Documentation/Testing.md lists all of them.
@Suite struct TrapTests {
    private static func expectMessage(_ text: String, of result: ExitTest.Result?) {
        let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(said.contains(text))
    }

    @Test func aPairOfNoBytes() async {
        Self.expectMessage(
            "a pair of 0 bytes measures nothing",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = PairMeasurement(byteCount: 0, touch: .none)
            })
    }

    @Test func anAlignmentThatNoPlanHas() async {
        Self.expectMessage(
            "an alignment is from 1 to 2^30, not 0",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Planner(alignment: 0)
            })
        Self.expectMessage(
            "an alignment is from 1 to 2^30, not 1073741825",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Planner(alignment: 1 << 30 + 1)
            })
    }

    @Test func anAnalysisWithoutPoints() async {
        Self.expectMessage(
            "an analysis lists a size or more, on an even number of points: not 20, 7",
            of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = TraceAnalysis(AllocationTraceBuilder(maximumEvents: 1).finish(), curvePoints: 7)
            })
    }
}
