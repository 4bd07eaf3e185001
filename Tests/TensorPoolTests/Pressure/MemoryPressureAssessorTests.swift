import Testing

@testable import TensorPool

@Suite struct MemoryPressureAssessorTests {
    private static func use(_ percent: Int, outOfMemory: Int? = nil) -> [MemoryPressureReading] {
        [
            .controlGroup(
                ControlGroupFigures(
                    file: "memory.current", usedByteCount: percent * 10, limitByteCount: 1000, throttleByteCount: nil,
                    outOfMemoryCount: outOfMemory, limitHitCount: nil))
        ]
    }

    private static let second: UInt64 = 1_000_000_000

    @Test func levelsRiseAtOnce() {
        var assessor = MemoryPressureAssessor(configuration: MemoryPressureConfiguration())
        let levels = [50, 80, 88, 93, 97].enumerated().map { assessor.assess(Self.use($1), at: UInt64($0)) }
        #expect(levels == MemoryPressureLevel.allCases)
        assessor = MemoryPressureAssessor(configuration: MemoryPressureConfiguration())
        #expect(assessor.assess(Self.use(99), at: 0) == .critical)
    }

    @Test func levelsFallWhenFiguresStayWellBelow() {
        var assessor = MemoryPressureAssessor(configuration: MemoryPressureConfiguration())
        var now: UInt64 = 100
        func assess(_ percent: Int, after seconds: UInt64) -> MemoryPressureLevel {
            now += seconds * Self.second
            return assessor.assess(Self.use(percent), at: now)
        }
        #expect(assess(97, after: 0) == .critical)
        // Below the threshold, and not by the margin: 97 less 5 % is 92.15.
        #expect(assess(93, after: 100) == .critical)
        // By the margin, and not for long enough.
        #expect(assess(92, after: 1) == .critical)
        #expect(assess(92, after: 4) == .critical)
        // A moment above it starts the time anew.
        #expect(assess(93, after: 0) == .critical)
        #expect(assess(92, after: 1) == .critical)
        #expect(assess(92, after: 4) == .critical)
        #expect(assess(92, after: 1) == .high, "five seconds after the first")
        // From there straight to where the figures are.
        #expect(assess(10, after: 1) == .high)
        #expect(assess(10, after: 5) == .none)
        #expect(assess(88, after: 0) == .moderate)
    }

    @Test func figuresThatGoToAndFroDoNotMakeTheLevelFlutter() {
        var assessor = MemoryPressureAssessor(configuration: MemoryPressureConfiguration())
        var changes = 0
        var last = MemoryPressureLevel.none
        for tick in 0..<1000 {
            let level = assessor.assess(Self.use(tick % 2 == 0 ? 88 : 80), at: UInt64(tick) * Self.second)
            if level != last { changes += 1 }
            last = level
        }
        #expect(changes == 1 && last == .moderate)
    }

    @Test func aGroupThatRanOutOfMemoryIsCritical() {
        var assessor = MemoryPressureAssessor(configuration: MemoryPressureConfiguration())
        #expect(assessor.assess(Self.use(10, outOfMemory: 7), at: 0) == .none, "what was before is not news")
        #expect(assessor.assess(Self.use(10, outOfMemory: 8), at: 1) == .critical)
        #expect(assessor.assess(Self.use(10, outOfMemory: 8), at: 2) == .critical)
        #expect(assessor.assess(Self.use(10, outOfMemory: 8), at: 2 + 5 * Self.second) == .none)
    }

    @Test func stallsHaveTheirOwnSteps() {
        let thresholds = MemoryPressureThresholds()
        func level(_ some: Double, _ full: Double) -> MemoryPressureLevel {
            thresholds.level(of: .stalls(StallFigures(file: "f", some: some, full: full)))
        }
        #expect([level(0, 0), level(1, 0), level(5, 0), level(20, 0), level(1, 10)] == MemoryPressureLevel.allCases)
        #expect(level(100, 0) == .high && level(0, 2) == .high)
        #expect(thresholds.level(of: .other(name: "own", level: .moderate)) == .moderate)
    }

    @Test func aClockThatGoesBackIsSurvived() {
        var assessor = MemoryPressureAssessor(configuration: MemoryPressureConfiguration())
        _ = assessor.assess(Self.use(99), at: 1000)
        _ = assessor.assess(Self.use(1), at: 900)
        #expect(assessor.assess(Self.use(1), at: 0) == .critical)
    }
}
