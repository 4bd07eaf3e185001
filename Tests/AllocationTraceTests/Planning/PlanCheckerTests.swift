import AllocationTrace
import Testing

@Suite struct PlanCheckerTests {
    private static func problem(_ items: [(Int, Int, Int)]) throws -> PlanningProblem {
        try PlanningProblem(
            items: items.enumerated().map {
                .init(id: "\($0)", lower: $1.0, upper: $1.1, byteCount: $1.2)
            })
    }

    @Test func acceptsWhatIsValid() throws {
        let problem = try Self.problem([(0, 10, 100), (0, 5, 50), (5, 10, 60)])
        #expect(try PlanChecker.check(problem, offsets: [0, 100, 100]) == 160)
        #expect(try PlanChecker.check(problem, offsets: [60, 0, 0], capacity: 160) == 160)
        #expect(try PlanChecker.check(Self.problem([]), offsets: []) == 0)
    }

    @Test func findsAnOverlapOfOneByte() throws {
        let problem = try Self.problem([(0, 10, 100), (9, 20, 50), (19, 30, 100)])
        #expect(throws: PlanChecker.Violation.overlap(first: 0, second: 1)) {
            try PlanChecker.check(problem, offsets: [0, 99, 200])
        }
        #expect(throws: PlanChecker.Violation.overlap(first: 0, second: 1)) {
            try PlanChecker.check(problem, offsets: [49, 0, 200])
        }
        #expect(throws: PlanChecker.Violation.overlap(first: 1, second: 2)) {
            try PlanChecker.check(problem, offsets: [0, 100, 149])
        }
        #expect(try PlanChecker.check(problem, offsets: [0, 100, 150]) == 250)
    }

    @Test func findsOneRangeWithinAnother() throws {
        let problem = try Self.problem([(0, 10, 100), (2, 8, 10), (3, 4, 100)])
        #expect(throws: PlanChecker.Violation.overlap(first: 0, second: 1)) {
            try PlanChecker.check(problem, offsets: [0, 50, 200])
        }
        #expect(throws: PlanChecker.Violation.overlap(first: 1, second: 2)) {
            try PlanChecker.check(problem, offsets: [0, 150, 100])
        }
        #expect(throws: PlanChecker.Violation.overlap(first: 0, second: 2)) {
            try PlanChecker.check(problem, offsets: [0, 200, 0])
        }
    }

    @Test func lifetimesAreHalfOpen() throws {
        let problem = try Self.problem([(0, 10, 100), (10, 20, 100), (9, 10, 100)])
        #expect(try PlanChecker.check(problem, offsets: [0, 0, 100]) == 200)
        #expect(throws: PlanChecker.Violation.overlap(first: 0, second: 2)) {
            try PlanChecker.check(problem, offsets: [0, 0, 99])
        }
    }

    @Test func findsWhatIsWrongWithOneOffset() throws {
        let problem = try Self.problem([(0, 10, 100), (0, 10, 28)])
        func violation(_ offsets: [Int], alignment: Int = 1, capacity: Int? = nil) -> PlanChecker.Violation? {
            do throws(PlanChecker.Violation) {
                try PlanChecker.check(problem, offsets: offsets, alignment: alignment, capacity: capacity)
                return nil
            } catch {
                return error
            }
        }
        #expect(violation([0]) == .wrongCount(offsets: 1, items: 2))
        #expect(violation([0, -1]) == .invalidOffset(item: 1, offset: -1))
        #expect(violation([.max, 0]) == .invalidOffset(item: 0, offset: .max))
        #expect(violation([0, 100], alignment: 64) == .misaligned(item: 1, offset: 100, alignment: 64))
        #expect(violation([0, 128], alignment: 64) == nil)
        #expect(violation([0, 100], capacity: 128) == nil)
        #expect(violation([0, 100], capacity: 127) == .aboveCapacity(item: 1, end: 128, capacity: 127))
    }
}
