import AllocationTrace
import Testing

@Suite struct PairMeasurementTests {
    @Test(arguments: Touch.allCases)
    func measuresAsManyPairsAsAsked(touch: Touch) throws {
        let heap = CheckedHeap()
        let pair = PairMeasurement(byteCount: 5000, touch: touch)
        let sample = try pair.measure(CheckedBlock.self, on: heap, iterations: 7, budget: .seconds(1))
        #expect(sample.iterations == 7)
        #expect(sample.nanosecondsPerPair > 0)
        // One more to warm up.
        #expect(heap.allocations == 8)
        #expect(heap.deallocations == 8)
        #expect(heap.live.isEmpty)
        #expect(heap.mistakes.isEmpty)
    }

    @Test func findsANumberOfPairs() throws {
        let heap = CheckedHeap()
        let pair = PairMeasurement(byteCount: 64, touch: .none)
        let sample = try pair.measure(CheckedBlock.self, on: heap, iterations: nil, budget: .milliseconds(1))
        #expect(sample.iterations >= 1)
        #expect(heap.allocations > sample.iterations)
        // However small the budget, something is measured.
        #expect(try pair.measure(CheckedBlock.self, on: heap, iterations: nil, budget: .zero).iterations == 1)
        #expect(heap.live.isEmpty)
    }

    @Test func tellsWhatIsRefused() throws {
        let heap = CheckedHeap()
        heap.refusedAllocation = 4
        let pair = PairMeasurement(byteCount: 64, touch: .full)
        #expect(throws: ReplayError.allocationFailed(event: 3, byteCount: 64, reason: "refused")) {
            try pair.measure(CheckedBlock.self, on: heap, iterations: 10, budget: .zero)
        }
        heap.refusedDeallocation = heap.deallocations
        #expect(throws: ReplayError.deallocationFailed(event: 0, byteCount: 64, reason: "refused")) {
            try pair.measure(CheckedBlock.self, on: heap, iterations: 10, budget: .zero)
        }
        #expect(heap.live.isEmpty)
    }
}

@Suite struct RoundStatisticsTests {
    @Test func ordersAndInterpolates() throws {
        let statistics = try #require(RoundStatistics([40, 10, 30, 20]))
        #expect(statistics.rounds == 4)
        #expect(statistics.minimum == 10)
        #expect(statistics.lowerQuartile == 17.5)
        #expect(statistics.median == 25)
        #expect(statistics.upperQuartile == 32.5)
        #expect(statistics.maximum == 40)
        #expect(statistics.relativeSpread == 0.6)
    }

    @Test func takesOneRoundOrNone() throws {
        #expect(RoundStatistics([]) == nil)
        let one = try #require(RoundStatistics([3]))
        #expect([one.minimum, one.lowerQuartile, one.median, one.upperQuartile, one.maximum] == [3, 3, 3, 3, 3])
        #expect(one.relativeSpread == 0)
        #expect(try #require(RoundStatistics([0, 0, 4])).relativeSpread == 0)
    }
}
