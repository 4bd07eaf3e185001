import Testing

@testable import TensorPool

@Suite struct BitRunsTests {
    /// The lengths of the runs of set bits, by where they begin.
    private static func runs(_ word: UInt64) -> [(start: Int, length: Int)] {
        var runs: [(start: Int, length: Int)] = []
        for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
            if let last = runs.last, last.start + last.length == bit {
                runs[runs.count - 1].length += 1
            } else {
                runs.append((bit, 1))
            }
        }
        return runs
    }

    @Test func runsOfAWordAreTheNaiveOnes() {
        var random = SeededRandom(SeededRandom.runSeed("BitRunsTests"))
        var words: [UInt64] = [0, .max, 1, 1 << 63, .max >> 1, .max << 1, 0x5555_5555_5555_5555]
        for _ in 0..<3000 {
            let word = random.next()
            words += [word, word & random.next(), word | random.next(), word | random.next() | random.next()]
            words.append(.max << UInt64(random.below(64)) & .max >> UInt64(random.below(64)))
        }
        for word in words {
            let runs = Self.runs(word)
            for count in [1, 2, 3, 5, 8, 13, 31, 32, 33, 63, 64] {
                let lowest = runs.first { $0.length >= count }?.start ?? 64
                if word.lowestRun(of: count) != lowest { Issue.record("\(count) in \(word)") }
            }
        }
    }

    @Test func rangesOfASetAreTheNaiveOnes() {
        var random = SeededRandom(SeededRandom.runSeed("BitRunsTests.set"))
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
        }
        for index in naive.indices where set.contains(index) != naive[index] { Issue.record("\(index)") }
    }
}
