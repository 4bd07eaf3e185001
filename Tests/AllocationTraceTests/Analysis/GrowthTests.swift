import Testing

@testable import AllocationTrace

@Suite struct GrowthTests {
    private func allocations(_ sizes: [Int]) throws -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: 1 << 20)
        for (index, size) in sizes.enumerated() {
            try builder.allocate(address: UInt64(index + 1), byteCount: size, thread: 1)
            try builder.free(address: UInt64(index + 1), byteCount: nil, thread: 1)
        }
        return builder.finish()
    }

    /// Two caches grow side by side, with other sizes between.
    @Test func findsGrowingCaches() throws {
        var sizes: [Int] = []
        for token in 0..<40 { sizes += [98_304 + token * 3072, 700, 5 << 20, 1600 + token * 48] }
        #expect(
            TraceAnalysis(try allocations(sizes)).drifts
                == [
                    SizeDrift(firstBytes: 98_304, lastBytes: 98_304 + 39 * 3072, stepBytes: 3072, sizes: 40),
                    SizeDrift(firstBytes: 1600, lastBytes: 1600 + 39 * 48, stepBytes: 48, sizes: 40),
                ].sorted { $0.stepBytes < $1.stepBytes })
    }

    /// Ten layers, each larger than the one before, in every step.
    @Test func layersOfOneStepAreNoGrowth() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 1 << 20)
        for _ in 0..<40 {
            for layer in 1...10 { try builder.allocate(address: UInt64(layer), byteCount: layer * 4096, thread: 1) }
            for layer in 1...10 { try builder.free(address: UInt64(layer), byteCount: nil, thread: 1) }
        }
        #expect(TraceAnalysis(builder.finish()).drifts.isEmpty)
    }

    /// Twelve layers' caches grow together: the next is allocated and filled before the one before goes.
    @Test func cachesThatAreCopiedGrow() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 1 << 20)
        for token in 0..<40 {
            for layer in 0..<12 {
                let place = UInt64(layer * 1000 + token)
                try builder.allocate(address: place + 1, byteCount: 10_000 + token * 512, thread: 1)
                if token > 0 { try builder.free(address: place, byteCount: nil, thread: 1) }
            }
        }
        #expect(TraceAnalysis(builder.finish()).drifts.map(\.sizes) == [40])
    }

    @Test func sevenSizesAreChance() throws {
        #expect(TraceAnalysis(try allocations((0..<7).map { 1000 + $0 * 10 })).drifts.isEmpty)
        #expect(TraceAnalysis(try allocations((0..<8).map { 1000 + $0 * 10 })).drifts.count == 1)
    }

    @Test func shrinkingIsNoGrowth() throws {
        #expect(TraceAnalysis(try allocations((0..<40).map { 10_000 - $0 * 10 })).drifts.isEmpty)
    }

    @Test func randomSizesHardlyGrow() throws {
        var random = SeededGenerator(seed: 11)
        let sizes = (0..<2000).map { _ in Int.random(in: 1...100_000_000, using: &random) }
        #expect(TraceAnalysis(try allocations(sizes)).drifts.isEmpty)
    }

    /// Where there are more sizes than are told apart, the others are counted and nothing else.
    @Test func manySizesAreBounded() {
        var table = SizeTable(maximumSizes: 2)
        #expect([10, 20, 30, 10, 20].map { table.number(of: $0) } == [0, 1, nil, 0, 1])
        var sizes = SizeCollector()
        for (index, byteCount) in [10, 20, 30, 10].enumerated() {
            let event = TraceEvent(kind: .allocate, slot: UInt32(index), byteCount: byteCount, thread: 0)
            sizes.observe(
                ObservedEvent(index: index, event: event, time: nil, size: table.number(of: byteCount), allocation: nil)
            )
        }
        let figures = sizes.figures(sizes: table.sizes, topCount: 5)
        #expect(figures.mostFrequent.map(\.allocations) == [2, 1])
        #expect(figures.allocationsOfFurtherSizes == 1)
    }
}

@Suite struct LeakTests {
    /// Each of 30 steps allocates and frees 20 blocks, and leaves behind what is asked for.
    private func steps(leaving: (_ step: Int) -> [Int]) throws -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: 1 << 20)
        var next: UInt64 = 0
        for step in 0..<30 {
            for index in 0..<20 {
                next += 1
                try builder.allocate(address: next, byteCount: 1000 + index, thread: 1)
                try builder.free(address: next, byteCount: nil, thread: 1)
            }
            for size in leaving(step) {
                next += 1
                try builder.allocate(address: next, byteCount: size, thread: 1)
            }
        }
        return builder.finish()
    }

    @Test func findsWhatEveryStepLeavesBehind() throws {
        let leaks = TraceAnalysis(try steps { _ in [4096, 4096] }).likelyLeaks
        let leak = try #require(leaks.first)
        #expect(leaks.count == 1)
        #expect(leak.byteCount == 4096)
        #expect(leak.bytesPerStretch == 8192)
        #expect(leak.stretches == leak.stretchesSeen)
    }

    @Test func findsLeaksOfChangingSizes() throws {
        let leak = try #require(TraceAnalysis(try steps { [100 + $0 * 7] }).likelyLeaks.first)
        #expect(leak.byteCount == nil)
        #expect(leak.stretches == leak.stretchesSeen)
    }

    @Test func weightsAndTheLastStepAreNoLeak() throws {
        // Weights at first, and the output of the last step is still there.
        let leaks = TraceAnalysis(try steps { $0 == 0 ? [1 << 20, 1 << 20] : $0 == 29 ? [777] : [] }).likelyLeaks
        #expect(leaks.isEmpty)
    }

    @Test func nowAndThenIsNoLeak() throws {
        #expect(TraceAnalysis(try steps { [3, 4, 11, 17, 26].contains($0) ? [4096] : [] }).likelyLeaks.isEmpty)
    }
}
