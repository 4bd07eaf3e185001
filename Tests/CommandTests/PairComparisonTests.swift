import AllocationTrace
import Testing

@testable import tensor_pool

@Suite struct PairComparisonTests {
    /// What the candidates were asked, in order.
    private final class Record {
        var calls: [(candidate: String, pair: PairMeasurement, iterations: Int?)] = []
    }

    private func candidate(_ name: String, _ nanoseconds: Double, iterations: Int, in record: Record) -> PairCandidate {
        PairCandidate(name: name) { pair, given, _ in
            record.calls.append((name, pair, given))
            return PairSample(
                nanosecondsPerPair: nanoseconds * Double(pair.byteCount), iterations: given ?? iterations)
        }
    }

    @Test func takesTurnsAndKeepsTheNumberOfPairs() throws {
        let record = Record()
        let pairs = [1, 10].map { PairMeasurement(byteCount: $0, touch: .none) }
        let comparison = PairComparison(
            candidates: [
                candidate("a", 1, iterations: 100, in: record), candidate("b", 2, iterations: 50, in: record),
                candidate("c", 3, iterations: 10, in: record),
            ], pairs: pairs, rounds: 3, budget: .zero)
        var told: [Int] = []
        let rows = try comparison.run { taken, all in
            told.append(taken)
            #expect(all == 18)
        }
        #expect(told == Array(1...18))

        // Every candidate goes first in one of three rounds, for each pair.
        for pair in pairs {
            let order = record.calls.filter { $0.pair == pair }.map(\.candidate)
            #expect(Set([order[0], order[3], order[6]]) == ["a", "b", "c"])
            for round in 0..<3 { #expect(Set(order[(round * 3)..<(round * 3 + 3)]) == ["a", "b", "c"]) }
        }
        // Found once, then kept.
        for name in ["a", "b", "c"] {
            let iterations = record.calls.filter { $0.candidate == name && $0.pair == pairs[0] }.map(\.iterations)
            #expect(iterations == [nil, ["a": 100, "b": 50, "c": 10][name], ["a": 100, "b": 50, "c": 10][name]])
        }
        #expect(rows.map(\.candidate) == ["a", "b", "c", "a", "b", "c"])
        #expect(rows.map(\.pair.byteCount) == [1, 1, 1, 10, 10, 10])
        #expect(rows.map(\.nanoseconds.median) == [1, 2, 3, 10, 20, 30])
        #expect(rows.allSatisfy { $0.nanoseconds.rounds == 3 })
    }

    @Test func passesFailuresOn() throws {
        struct Failure: Error {}
        let comparison = PairComparison(
            candidates: [PairCandidate(name: "a") { _, _, _ in throw Failure() }],
            pairs: [PairMeasurement(byteCount: 1, touch: .none)], rounds: 1, budget: .zero)
        #expect(throws: Failure.self) { try comparison.run() }
    }

    @Test func measuresRealAllocators() throws {
        let comparison = PairComparison(
            candidates: [.jemalloc, .system(try SystemMallocHelper())],
            pairs: Touch.allCases.map { PairMeasurement(byteCount: 32 << 10, touch: $0) },
            rounds: 2, budget: .microseconds(200))
        let rows = try comparison.run()
        #expect(rows.map(\.candidate) == ["jemalloc", "system", "jemalloc", "system", "jemalloc", "system"])
        #expect(rows.allSatisfy { $0.nanoseconds.minimum > 0 })
    }

    @Test func hasTheGuidesSizes() {
        #expect(
            PairComparison.sizes.map(Figures.size) == [
                "1 KiB", "4 KiB", "16 KiB", "32 KiB", "64 KiB", "256 KiB", "1 MiB", "4 MiB", "16 MiB", "64 MiB",
            ])
    }
}
