import Testing

@testable import TensorPool

@Suite struct GranuleBitmapTests {
    /// The same in the most obvious way.
    private struct Naive {
        var free: [Bool]

        func lowestRun(of count: Int) -> Int? {
            var length = 0
            for index in free.indices {
                length = free[index] ? length + 1 : 0
                if length == count { return index - count + 1 }
            }
            return nil
        }
    }

    private static func compare(_ bitmap: inout GranuleBitmap, _ naive: Naive, _ random: inout SeededRandom) -> Bool {
        let total = naive.free.count
        for count in [1, 2, 63, 64, 65, 1 + random.below(total), 1 + random.below(100), total, total + 1] {
            if bitmap.lowestRun(of: count) != naive.lowestRun(of: count) { return false }
        }
        let granule = random.below(total)
        return bitmap.isFree(granule) == naive.free[granule]
    }

    @Test(arguments: [16, 32, 64])
    func randomWorkMatchesANaiveModel(wordCount: Int) {
        var random = SeededRandom(SeededRandom.runSeed("GranuleBitmapTests"))
        var bitmap = GranuleBitmap(wordCount: wordCount)
        var naive = Naive(free: [Bool](repeating: false, count: wordCount * 64))
        #expect(bitmap.lowestRun(of: 1) == nil)
        #expect(bitmap.lowestRun(of: 0) == nil)
        for step in 0..<600 {
            let total = naive.free.count
            if step == 300 || step == 450 {
                bitmap.grow(toWordCount: total / 64 + 1)
                #expect(bitmap.wordCount == total / 32, "it doubles")
                naive.free += [Bool](repeating: false, count: bitmap.wordCount * 64 - total)
            }
            // Mostly what an allocator does, sometimes any range.
            let count = 1 + random.below(random.below(4) == 0 ? total : 20)
            if step % 3 == 0, let start = bitmap.lowestRun(of: count) {
                bitmap.take(start..<start + count)
                for index in start..<start + count { naive.free[index] = false }
            } else {
                let low = random.below(total)
                let range = low..<min(total, low + count)
                if random.below(3) == 0 { bitmap.take(range) } else { bitmap.give(range) }
                for index in range { naive.free[index] = bitmap.isFree(index) }
                let isRight = range.allSatisfy { bitmap.isFree($0) == bitmap.isFree(low) }
                #expect(isRight)
            }
            let same = Self.compare(&bitmap, naive, &random)
            #expect(same, "step \(step)")
            if !same { return }
        }
    }

    @Test func everythingTakenAndGivenBackIsOneRun() {
        var random = SeededRandom(SeededRandom.runSeed("GranuleBitmapTests.order"))
        var bitmap = GranuleBitmap(wordCount: 16)
        bitmap.give(0..<512)
        var starts: [Int] = []
        while let start = bitmap.lowestRun(of: 3) {
            #expect(start == starts.count * 3)
            bitmap.take(start..<start + 3)
            starts.append(start)
        }
        #expect(bitmap.lowestRun(of: 2) == 510)
        starts.shuffle(using: &random)
        for start in starts { bitmap.give(start..<start + 3) }
        #expect(bitmap.lowestRun(of: 512) == 0)
        #expect(bitmap.lowestRun(of: 513) == nil)
    }
}
