/// Looks for windows of a trace that together are like the whole: as many bytes and allocations of each size class an
/// event, and little beside the windows themselves.
///
/// They are runs of windows, few and long. What an allocator does follows from what it did before, so each seam between
/// runs is something that the whole has not: short ones from all over made glibc's malloc give memory back twice as often.
struct SampleSearch {
    /// About as many events are in a run.
    private static let eventsPerRun = 1000
    private static let maximumRuns = 4
    private static let attempts = 3
    /// Of an attempt: fewer where there are many groups to add up at each.
    private static let moves = 1500
    private static let groupsAddedUp = 8_000_000
    /// How much worse a move may be at first.
    private static let warmth = 0.03

    let windows: TraceWindows
    private let whole: Mix

    /// What there is of each size class.
    private struct Mix {
        var bytes: [Double]
        var allocations: [Double]
        var events = 0

        init(sizeClassCount: Int) {
            bytes = [Double](repeating: 0, count: sizeClassCount)
            allocations = bytes
        }

        mutating func add(_ group: TraceWindows.Group) {
            bytes[Int(group.sizeClass)] += group.bytes
            allocations[Int(group.sizeClass)] += Double(group.allocations)
            events += group.events
        }
    }

    private struct Choice {
        var runs: [Range<Int>]
        var distance: Double
    }

    init(_ windows: TraceWindows) {
        self.windows = windows
        var whole = Mix(sizeClassCount: windows.sizeClassCount)
        for group in windows.groups { whole.add(group) }
        self.whole = whole
    }

    /// Which windows to take.
    /// - Parameters:
    ///   - eventCount: how many events there should be, with those that the windows need of others.
    ///   - seed: another one gives other windows; runs of an odd one begin in other parts of the trace than those of an even
    ///     one, so that the best windows are not the same.
    func keep(eventCount: Int, seed: UInt64) -> [Bool] {
        var random = SplitMix(seed: seed)
        let choices = (0..<Self.attempts).map { _ in
            attempt(eventCount: eventCount, side: Int(seed % 2), using: &random)
        }
        return kept(choices.min { $0.distance < $1.distance }?.runs ?? [0..<windows.count])
    }

    /// Simulated annealing: a worse choice now and then, ever less worse, gets it out of a dead end.
    private func attempt(eventCount: Int, side: Int, using random: inout SplitMix) -> Choice {
        let runCount = min(max(1, eventCount / Self.eventsPerRun), Self.maximumRuns, windows.count)
        let share = Double(eventCount) / Double(max(1, whole.events))
        let usual = min(max(1, Int(share * Double(windows.count) / Double(runCount))), windows.count)
        let runs = (0..<runCount).map { _ in
            placed(Int.random(in: 0..<windows.count, using: &random), length: usual, usual: usual, side: side)
        }
        var current = Choice(runs: runs, distance: 0)
        current.distance = distance(kept(current.runs), eventCount: eventCount)
        var best = current
        let moves = min(Self.moves, Self.groupsAddedUp / max(1, windows.groups.count))
        for done in 0..<moves {
            let place = Int.random(in: 0..<runCount, using: &random)
            var next = current
            next.runs[place] = moved(current.runs[place], usual: usual, side: side, using: &random)
            next.distance = distance(kept(next.runs), eventCount: eventCount)
            let worse = Self.warmth * (1 - Double(done) / Double(moves)) * Double.random(in: 0..<1, using: &random)
            if next.distance < current.distance + worse { current = next }
            if next.distance < best.distance { best = next }
        }
        return best
    }

    /// A run somewhere else, a little to the side, or a third shorter or longer at the most.
    private func moved(_ run: Range<Int>, usual: Int, side: Int, using random: inout SplitMix) -> Range<Int> {
        var (start, length) = (run.lowerBound, run.count)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: start = Int.random(in: 0..<windows.count, using: &random)
        case 1: start += Int.random(in: -usual...usual, using: &random)
        default: length = Int.random(in: max(1, usual * 2 / 3)...max(1, usual * 4 / 3), using: &random)
        }
        return placed(start, length: length, usual: usual, side: side)
    }

    /// A run that begins there or, where that is in a part of the other side, at the next of this; within the trace.
    private func placed(_ start: Int, length: Int, usual: Int, side: Int) -> Range<Int> {
        let length = min(length, windows.count)
        var start = max(0, start)
        if (start / usual) % 2 != side { start += usual - start % usual }
        start = min(start, windows.count - length)
        return start..<start + length
    }

    private func kept(_ runs: [Range<Int>]) -> [Bool] {
        var kept = [Bool](repeating: false, count: windows.count)
        for run in runs {
            for window in run { kept[window] = true }
        }
        return kept
    }

    /// How far what is replayed with these windows is from the whole; 0 is the same mix and nothing beside it.
    private func distance(_ kept: [Bool], eventCount: Int) -> Double {
        var keptBefore = [UInt32](repeating: 0, count: kept.count + 1)
        var inside = 0
        for window in kept.indices {
            keptBefore[window + 1] = keptBefore[window] + (kept[window] ? 1 : 0)
            if kept[window] { inside += windows.boundaries[window + 1] - windows.boundaries[window] }
        }
        var mix = Mix(sizeClassCount: windows.sizeClassCount)
        for group in windows.groups where keptBefore[Int(group.last) + 1] > keptBefore[Int(group.first)] {
            mix.add(group)
        }
        guard mix.events > 0, inside > 0 else { return .infinity }
        let carried = Double(mix.events - inside) / Double(mix.events)
        let size = Double(mix.events) / Double(max(1, eventCount))
        return difference(mix.bytes, whole.bytes, mix.events)
            + difference(mix.allocations, whole.allocations, mix.events)
            + carried + 4 * max(0, size - 1) + 2 * max(0, 0.75 - size)
    }

    private func difference(_ some: [Double], _ all: [Double], _ events: Int) -> Double {
        let sum = all.reduce(0, +)
        guard sum > 0 else { return 0 }
        let scale = Double(whole.events) / Double(events)
        // By how much of itself a class is off counts by the root of its share: a small class can be most of the cost.
        return abs(some.reduce(0, +) * scale / sum - 1)
            + all.indices.reduce(0) { $0 + abs(some[$1] * scale - all[$1]) / max(all[$1] * sum, 1).squareRoot() }
    }
}
