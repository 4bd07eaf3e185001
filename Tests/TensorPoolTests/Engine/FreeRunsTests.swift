import PoolModel
import Testing

@testable import TensorPool

@Suite struct FreeRunsTests {
    /// Free runs, and a Bool for each granule of which they must be the maximal runs.
    private struct Model: ~Copyable {
        var runs: FreeRuns
        var free: [Bool]
        var taken: [Range<Int>] = []

        init(capacity: Int, free range: Range<Int>) {
            runs = FreeRuns(capacity: capacity)
            free = [Bool](repeating: false, count: capacity)
            runs.give(range.lowerBound, range.count)
            set(range, true)
        }

        mutating func set(_ range: Range<Int>, _ value: Bool) { for index in range { free[index] = value } }

        var maximalRuns: [Range<Int>] {
            var all: [Range<Int>] = []
            for index in free.indices where free[index] {
                if let last = all.last, last.upperBound == index {
                    all[all.count - 1] = last.lowerBound..<index + 1
                } else {
                    all.append(index..<index + 1)
                }
            }
            return all
        }

        /// Checks what is promised of the answer for every length, given the maximal runs.
        func check(_ count: Int, _ maximal: [Range<Int>]) {
            let start = runs.find(count)
            if start == 0 {
                // A request looks at a few runs of its own class and at all others.
                #expect(!maximal.contains { $0.count >= 2 * count }, "\(count) granules")
                if count < 16 { #expect(!maximal.contains { $0.count >= count }, "classes below 16 are exact") }
                return
            }
            let run = maximal.first { $0.lowerBound == start }
            #expect((run?.count ?? 0) >= count, "\(count) granules at \(start)")
            // No run of a longer class than the next that has any.
            let shortest = maximal.filter { $0.count >= 2 * count }.map(\.count).min() ?? 0
            #expect((run?.count ?? 0) <= max(2 * count, shortest + shortest / 8), "\(count) granules at \(start)")
        }

        mutating func take(_ start: Int, _ count: Int, from run: Int) {
            runs.take(start, count, from: run)
            set(start..<start + count, false)
            taken.append(start..<start + count)
        }

        mutating func give(_ index: Int) {
            let range = taken.remove(at: index)
            runs.give(range.lowerBound, range.count)
            set(range, true)
        }
    }

    @Test func nothingIsFoundWhereNothingIsFree() {
        let runs = FreeRuns()
        for count in [1, 2, 15, 16, 17, 1000, FreeRuns.maximumGranules - 1] { #expect(runs.find(count) == 0) }
        #expect(runs.sortedRuns().isEmpty)
    }

    /// The largest request an engine lets in is many times what granules can be numbered.
    @Test func moreThanGranulesCanBeNumberedIsNotFound() {
        var runs = FreeRuns(capacity: 1 << 11)
        runs.give(64, 1000)
        let largest = Granule.count(Engine.maximumByteCount) + Granule.count(Engine.maximumAlignment)
        for count in [FreeRuns.maximumGranules - 1, FreeRuns.maximumGranules, FreeRuns.maximumGranules + 1] {
            #expect(runs.find(count) == 0)
        }
        var count = FreeRuns.maximumGranules
        while count <= largest {
            #expect(runs.find(count) == 0 && runs.find(count + count / 2) == 0, "\(count) granules")
            count *= 2
        }
        #expect(runs.find(largest) == 0 && runs.find(1000) == 64)
    }

    @Test func neighboursJoinOnBothSides() {
        var runs = FreeRuns()
        runs.give(64, 100)
        runs.take(64, 10, from: 64)
        runs.take(74, 10, from: 74)
        runs.take(84, 10, from: 84)
        #expect(runs.sortedRuns() == [94..<164])
        runs.give(64, 10)
        #expect(runs.sortedRuns() == [64..<74, 94..<164])
        #expect(runs.length(ofRunAt: 64) == 10 && runs.length(ofRunAt: 94) == 70)
        runs.give(74, 10)
        #expect(runs.sortedRuns() == [64..<84, 94..<164])
        runs.give(84, 10)
        #expect(runs.sortedRuns() == [64..<164])
        // From the middle: what is left on either side stays free.
        runs.take(100, 20, from: 64)
        #expect(runs.sortedRuns() == [64..<100, 120..<164])
        runs.give(100, 20)
        runs.take(64, 100, from: 64)
        #expect(runs.sortedRuns().isEmpty && runs.find(1) == 0)
    }

    @Test func theNewestOfAClassComesFirst() {
        var runs = FreeRuns()
        runs.give(64, 64)
        for start in stride(from: 64, to: 128, by: 4) { runs.take(start, 4, from: start) }
        for start in [72, 104, 88] { runs.give(start, 4) }
        #expect(runs.find(4) == 88)
        runs.take(88, 4, from: 88)
        #expect(runs.find(4) == 104)
        #expect(runs.find(3) == 104, "of the next class that has any")
    }

    /// Lengths of one class differ: four of them are looked at, then those of longer classes.
    @Test func theOwnClassIsTriedBeforeTheNext() {
        var runs = FreeRuns(capacity: 1 << 12)
        // 40 to 43 is one class. The one of 43 is the oldest.
        var start = 64
        for count in [43, 40, 40, 40] {
            runs.give(start, count)
            start += 64
        }
        runs.give(start, 100)
        #expect(runs.find(41) == 64, "the fourth that is tried")
        runs.give(start + 128, 40)
        #expect(runs.find(41) == start, "the fifth is not tried: a longer one is taken")
        #expect(runs.find(40) == start + 128)
    }

    @Test func roomIsMadeWhileRunsAreLinked() {
        var model = Model(capacity: 1 << 10, free: 64..<1024)
        for _ in 0..<20 { model.take(model.runs.find(20), 20, from: model.runs.find(20)) }
        for index in stride(from: 18, through: 0, by: -2) { model.give(index) }
        let before = model.maximalRuns
        #expect(model.runs.sortedRuns() == before && before.count > 9)
        model.runs.grow(to: 1 << 16)
        #expect(model.runs.capacity == 1 << 16)
        model.runs.grow(to: 1 << 12)
        #expect(model.runs.capacity == 1 << 16, "it never gets less")
        #expect(model.runs.sortedRuns() == before)
        model.free += [Bool](repeating: false, count: 1 << 16 - model.free.count)
        // The new room is behind a border, and joins nothing.
        model.runs.give(1 << 11, 1 << 11)
        model.set(1 << 11..<1 << 12, true)
        #expect(model.runs.sortedRuns() == model.maximalRuns)
        while !model.taken.isEmpty { model.give(0) }
        #expect(model.runs.sortedRuns() == [64..<1024, 1 << 11..<1 << 12])
    }

    @Test func theLongestRunIsFoundByEveryLength() {
        // Nodes that nobody writes to take no pages.
        let length = FreeRuns.maximumGranules - 65
        var runs = FreeRuns(capacity: FreeRuns.maximumGranules)
        runs.give(64, length)
        for shift in 0..<28 {
            for count in [1 << shift, 1 << shift + 1, (3 << shift) / 2 + 1] where count <= length {
                #expect(runs.find(count) == 64)
            }
        }
        #expect(runs.find(length) == 64 && runs.find(length + 1) == 0)
        runs.take(64, length, from: 64)
        #expect(runs.find(1) == 0)
        runs.give(64, length)
        #expect(runs.sortedRuns() == [64..<64 + length])
    }

    @Test func randomWorkMatchesANaiveModel() {
        var random = SeededRandom(SeededRandom.runSeed("FreeRunsTests"))
        var capacity = 1 << 11
        var model = Model(capacity: capacity, free: 64..<capacity)
        for step in 0..<4000 {
            if step == 2000 {
                // More room, not next to what there is.
                model.runs.grow(to: 2 * capacity)
                model.free += [Bool](repeating: false, count: capacity)
                let added = capacity + 64..<2 * capacity
                model.runs.give(added.lowerBound, added.count)
                model.set(added, true)
                capacity *= 2
            }
            // Now it fills, now it empties.
            let fills = step / 500 % 2 == 0 ? 3 : 2
            if random.below(5) >= fills && !model.taken.isEmpty {
                model.give(random.below(model.taken.count))
            } else {
                let count = 1 + random.below(1 << (1 + random.below(8)))
                let run = model.runs.find(count)
                if run > 0 {
                    let length = model.runs.length(ofRunAt: run)
                    // Now and then from the middle or the end, as aligned spans are.
                    let start = random.below(3) == 0 ? run + random.below(length - count + 1) : run
                    model.take(start, count, from: run)
                }
            }
            let maximal = model.maximalRuns
            if model.runs.sortedRuns() != maximal {
                Issue.record("step \(step): the runs are not the maximal ones")
                return
            }
            model.check(1 + random.below(40), maximal)
            model.check(1 + random.below(capacity), maximal)
        }
        for count in 1...capacity { model.check(count, model.maximalRuns) }
        while !model.taken.isEmpty { model.give(model.taken.count - 1) }
        #expect(model.runs.sortedRuns() == [64..<capacity / 2, capacity / 2 + 64..<capacity])
    }
}
