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
            let found = runs.find(count)
            if found.isNone {
                // A request looks at the newest run of its own class and at all others.
                #expect(!maximal.contains { $0.count >= 2 * count }, "\(count) granules")
                if count < 32 { #expect(!maximal.contains { $0.count >= count }, "classes below 32 are exact") }
                return
            }
            let start = found.start
            let run = maximal.first { $0.lowerBound == start }
            #expect((run?.count ?? 0) >= count, "\(count) granules at \(start)")
            // No run of a longer class than the next that has any.
            let shortest = maximal.filter { $0.count >= 2 * count }.map(\.count).min() ?? 0
            #expect((run?.count ?? 0) <= max(2 * count, shortest + shortest / 16), "\(count) granules at \(start)")
        }

        mutating func take(_ start: Int, _ count: Int, from run: Int) {
            runs.take(start, count, from: run)
            noteTaken(start, count)
        }

        mutating func noteTaken(_ start: Int, _ count: Int) {
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
        for count in [1, 2, 15, 16, 17, 1000, FreeRuns.maximumGranules - 1] { #expect(runs.find(count).isNone) }
        #expect(runs.sortedRuns().isEmpty)
    }

    /// The largest request an engine lets in is many times what granules can be numbered.
    @Test func moreThanGranulesCanBeNumberedIsNotFound() {
        var runs = FreeRuns(capacity: 1 << 11)
        runs.give(64, 1000)
        let largest = Granule.count(Engine.maximumByteCount) + Granule.count(Engine.maximumAlignment)
        for count in [FreeRuns.maximumGranules - 1, FreeRuns.maximumGranules, FreeRuns.maximumGranules + 1] {
            #expect(runs.find(count).isNone)
        }
        var count = FreeRuns.maximumGranules
        while count <= largest {
            #expect(runs.find(count).isNone && runs.find(count + count / 2).isNone, "\(count) granules")
            count *= 2
        }
        #expect(runs.find(largest).isNone && runs.find(1000).start == 64)
        for count in [0, -1, .min, .max - 1, .max] { #expect(runs.find(count).isNone, "\(count) is no length") }
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
        #expect(runs.sortedRuns().isEmpty && runs.find(1).isNone)
    }

    @Test func theNewestOfAClassComesFirst() {
        var runs = FreeRuns()
        runs.give(64, 64)
        for start in stride(from: 64, to: 128, by: 4) { runs.take(start, 4, from: start) }
        for start in [72, 104, 88] { runs.give(start, 4) }
        #expect(runs.find(4).start == 88)
        runs.take(88, 4, from: 88)
        #expect(runs.find(4).start == 104)
        #expect(runs.find(3).start == 104, "of the next class that has any")
    }

    /// Lengths of one class differ: the newest of them is looked at, then those of longer classes.
    @Test func theOwnClassIsTriedBeforeTheNext() {
        var runs = FreeRuns(capacity: 1 << 12)
        // 64 to 67 is one class.
        var start = 64
        for count in [64, 67] {
            runs.give(start, count)
            start += 128
        }
        runs.give(start, 100)
        #expect(runs.find(66).start == 192, "the newest of the class is long enough")
        runs.give(start + 128, 64)
        #expect(runs.find(66).start == start, "it is not: a longer one is taken")
        #expect(runs.find(64).start == start + 128)
    }

    /// What was found is the first of its list, and taking its beginning leaves the others in it.
    @Test func whatWasFoundIsTakenOutOfItsList() {
        var runs = FreeRuns(capacity: 1 << 12)
        for place in 1...5 { runs.give(place * 64, 10) }
        // The newest first; what is over of the second and the fourth stays free, and is what the last one gets.
        for (place, count) in [(5, 10), (4, 3), (3, 10), (2, 9)] {
            let found = runs.find(count)
            #expect(found.start == place * 64)
            runs.take(count, of: found)
            #expect(runs.length(ofRunAt: found.start) == 0)
            #expect(runs.length(ofRunAt: found.start + count) == 10 - count)
        }
        let last = runs.find(1)
        #expect(last.start == 2 * 64 + 9)
        runs.take(1, of: last)
        #expect(runs.sortedRuns() == [64..<74, 4 * 64 + 3..<4 * 64 + 10])
        #expect(runs.find(7).start == 4 * 64 + 3 && runs.find(8).start == 64 && runs.find(11).isNone)
    }

    @Test func roomIsMadeWhileRunsAreLinked() {
        var model = Model(capacity: 1 << 10, free: 64..<1024)
        for _ in 0..<20 { model.take(model.runs.find(20).start, 20, from: model.runs.find(20).start) }
        for index in stride(from: 18, through: 0, by: -2) { model.give(index) }
        let before = model.maximalRuns
        #expect(model.runs.sortedRuns() == before && before.count > 9)
        model.runs.grow(to: 1 << 16)
        #expect(model.runs.capacity == 1 << 16)
        model.runs.grow(to: 1 << 12)
        #expect(model.runs.capacity == 1 << 16, "it never gets less")
        #expect(model.runs.sortedRuns() == before)
        #expect(model.runs.find(1 << 20).isNone, "searches still have an end")
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
                #expect(runs.find(count).start == 64)
            }
        }
        #expect(runs.find(length).start == 64 && runs.find(length + 1).isNone)
        runs.take(64, length, from: 64)
        #expect(runs.find(1).isNone)
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
                let found = model.runs.find(count)
                let run = found.start
                if !found.isNone && random.below(2) == 0 {
                    model.runs.take(count, of: found)
                    model.noteTaken(run, count)
                } else if !found.isNone {
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
