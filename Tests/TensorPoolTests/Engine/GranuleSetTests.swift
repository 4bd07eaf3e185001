import PoolModel
import Testing

@testable import TensorPool

@Suite struct GranuleSetTests {
    /// The maximal runs of a value in a range.
    private static func runs(of value: Bool, in bits: [Bool], _ range: Range<Int>) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in range where bits[index] == value {
            if let last = runs.last, last.upperBound == index {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }

    @Test func rangesOfASetAreTheNaiveOnes() {
        var random = SeededRandom(SeededRandom.runSeed("GranuleSetTests"))
        var set = GranuleSet(wordCount: 4)
        var naive = [Bool](repeating: false, count: 256)
        for step in 0..<2000 {
            if step == 1000 {
                set.grow(toWordCount: 8)
                naive += [Bool](repeating: false, count: 256)
            }
            let low = random.below(naive.count)
            let high = low + 1 + random.below(naive.count - low)
            let value = random.below(2) == 0
            if value { set.insert(low..<high) } else { set.remove(low..<high) }
            for index in low..<high { naive[index] = value }
            let from = random.below(naive.count)
            let to = from + 1 + random.below(naive.count - from)
            #expect(set.count(in: from..<to) == naive[from..<to].count { $0 })
            #expect(set.contains(from) == naive[from])
            for isContained in [true, false] {
                let runs = Self.runs(of: isContained, in: naive, from..<to)
                #expect(set.runs(in: from..<to, contained: isContained) == runs)
                #expect(set.firstRun(in: from..<to, contained: isContained) == runs.first)
                #expect(set.firstRun(in: from..<from, contained: isContained) == nil)
            }
        }
        for index in naive.indices where set.contains(index) != naive[index] { Issue.record("\(index)") }
    }
}
