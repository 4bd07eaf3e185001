@testable import TensorTrace
import Testing

@Suite struct TickTimelineTests {
    private typealias Anchor = TickTimeline.Anchor

    /// A counter of 2.5 GHz beside a clock that runs a little faster, then a little slower.
    @Test func timesLieOnLinesBetweenAnchors() {
        var timeline = TickTimeline(start: Anchor(ticks: 1_000_000, time: 5_000))
        timeline.add(Anchor(ticks: 3_500_000, time: 1_005_100))
        timeline.add(Anchor(ticks: 6_000_000, time: 2_005_000))
        #expect(timeline.time(at: 1_000_000) == 5_000)
        #expect(timeline.time(at: 2_250_000) == 505_050)
        #expect(timeline.time(at: 3_500_000) == 1_005_100)
        #expect(timeline.time(at: 4_750_000) == 1_505_050)
        #expect(timeline.time(at: 6_000_000) == 2_005_000)
        // Before and behind: on the first line, and no later than the last anchor.
        #expect(timeline.time(at: 0) == 5_000 - 400_040)
        #expect(timeline.time(at: 7_000_000) == 2_005_000)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func timesNeverFall(seed: UInt64) {
        var random = Congruential(state: seed)
        var timeline = TickTimeline(start: Anchor(ticks: 1000, time: 0))
        var (ticks, time, latest) = (1000 as UInt64, 0 as Int64, Int64.min)
        for _ in 0..<1000 {
            let start = ticks
            ticks += UInt64.random(in: 0...1 << 20, using: &random)
            time += Int64.random(in: 0...1 << 20, using: &random)
            timeline.add(Anchor(ticks: ticks, time: time))
            let wanted = (0..<8).map { _ in UInt64.random(in: start...ticks, using: &random) }.sorted()
            for ticks in wanted {
                let told = timeline.time(at: ticks)
                #expect(told >= latest && told <= time, "seed \(seed)")
                latest = told
            }
        }
    }

    /// What was read long before it was written down gets a time all the same, in its place.
    @Test func oldTicksAreTold() {
        var timeline = TickTimeline(start: Anchor(ticks: 0, time: 0))
        for step in 1...1000 as ClosedRange<UInt64> { timeline.add(Anchor(ticks: step * 100, time: Int64(step) * 50)) }
        #expect(timeline.time(at: 99_950) == 49_975)
        #expect(timeline.time(at: 80_010) == 40_005)
        // Older than the anchors that are kept: told from the oldest line.
        #expect(timeline.time(at: 10_000) == 5_000)
        #expect(timeline.time(at: 99_990) == 49_995)
    }

    /// A machine that slept may count from 0 again.
    @Test func aCounterThatStepsBackBeginsAnew() {
        var timeline = TickTimeline(start: Anchor(ticks: 1 << 40, time: 0))
        timeline.add(Anchor(ticks: 1 << 40 + 1000, time: 500))
        timeline.add(Anchor(ticks: 2000, time: 10_000))
        #expect(timeline.time(at: 1000) == 9_500)
        #expect(timeline.time(at: 2000) == 10_000)
        timeline.add(Anchor(ticks: 4000, time: 11_000))
        #expect(timeline.time(at: 3000) == 10_500)
        // Nothing is told to be before what was before the sleep, and no reading traps.
        #expect(timeline.time(at: 0) >= 500)
        #expect(timeline.time(at: .max) == 11_000)
        var extreme = TickTimeline(start: Anchor(ticks: 0, time: 0))
        extreme.add(Anchor(ticks: 1, time: 1 << 60))
        extreme.add(Anchor(ticks: .max, time: 1 << 61))
        extreme.add(Anchor(ticks: .max - 1, time: 1 << 61))
        #expect(extreme.time(at: 0) >= 1 << 60)
    }
}

/// Knuth's linear congruential generator: the same numbers for the same seed.
private struct Congruential: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 32
    }
}
