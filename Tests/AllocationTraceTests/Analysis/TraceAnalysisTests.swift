import Testing

@testable import AllocationTrace

/// A trace from a short script: `("a", 100)` allocates a block named a, `("a", nil)` frees it.
private func trace(_ script: [(name: UInt64, byteCount: Int?, thread: UInt64)], nanosecondsApart: Int64? = 10) throws
    -> AllocationTrace
{
    var builder = AllocationTraceBuilder(maximumEvents: 1 << 20)
    for (index, entry) in script.enumerated() {
        let time = nanosecondsApart.map { $0 * Int64(index) }
        if let byteCount = entry.byteCount {
            try builder.allocate(address: entry.name, byteCount: byteCount, thread: entry.thread, time: time)
        } else {
            try builder.free(address: entry.name, byteCount: nil, thread: entry.thread, time: time)
        }
    }
    return builder.finish()
}

@Suite struct TraceAnalysisTests {
    @Test func tellsHowFarItIs() throws {
        let events = 150_000
        var builder = AllocationTraceBuilder(maximumEvents: events, details: [])
        for index in 0..<events / 2 {
            try builder.allocate(address: 1, byteCount: index, thread: 1)
            try builder.free(address: 1, byteCount: nil, thread: 1)
        }
        let trace = builder.finish()
        var seen: [Int] = []
        let analysis = TraceAnalysis(trace) { seen.append($0) }
        #expect(seen == [0, 65_536, 131_072])
        #expect(analysis == TraceAnalysis(trace))
    }

    /// Two threads, three sizes, one block that stays.
    private let example: [(UInt64, Int?, UInt64)] = [
        (1, 100, 7),  // 0
        (2, 5000, 7),  // 1
        (1, nil, 7),  // 2: lived 2 events
        (3, 100, 7),  // 3: 1 event after a free of its size
        (2, nil, 8),  // 4: lived 3 events, freed by another thread
        (4, 2 << 20, 8),  // 5
        (3, nil, 7),  // 6: lived 3
        (5, 5000, 8),  // 7: 3 events after a free of its size
        (4, nil, 8),  // 8: lived 3
    ]

    @Test func handMadeFigures() throws {
        let analysis = TraceAnalysis(try trace(example))
        #expect(analysis.summary.eventCount == 9)
        #expect(analysis.durationNanoseconds == 80)
        let categories = analysis.sizes.categories
        #expect(categories.map(\.category) == SizeCategory.allCases)
        #expect(categories.map(\.allocations) == [2, 2, 0, 1, 0])
        #expect(categories.map(\.allocatedBytes) == [200, 10_000, 0, 2 << 20, 0])
        #expect(categories.map(\.peakLiveBytes) == [100, 5000, 0, 2 << 20, 0])
        #expect(categories.map(\.distinctSizes) == [1, 1, 0, 1, 0])
        #expect(categories[1].lifetimeEvents?.maximum == 3)
        #expect(categories[2].lifetimeEvents == nil)
        #expect(analysis.sizes.mostFrequent.map(\.byteCount) == [5000, 100, 2 << 20])
        #expect(analysis.sizes.mostBytes.map(\.byteCount) == [2 << 20, 5000, 100])
        #expect(analysis.sizes.mostBytes.map(\.peakLiveBlocks) == [1, 1, 1])

        let lifetimes = try #require(analysis.lifetimes.events)
        #expect([lifetimes.minimum, lifetimes.p50, lifetimes.p99, lifetimes.maximum] == [2, 3, 3, 3])
        #expect(analysis.lifetimes.nanoseconds?.maximum == 30)
        // All freed blocks are short-lived, one of them by another thread.
        #expect(analysis.lifetimes.temporaries == 3)
        #expect(analysis.lifetimes.temporaryShare == 0.6)
        #expect(analysis.lifetimes.neverFreed == 1)

        #expect(analysis.reuse.newBlocks == 3)
        #expect(analysis.reuse.reusableShare == 0.4)
        #expect(analysis.reuse.distanceEvents?.minimum == 1)
        #expect(analysis.reuse.distanceEvents?.maximum == 3)

        #expect(analysis.threads.threads.map(\.id) == [7, 8])
        #expect(analysis.threads.threads.map(\.allocations) == [3, 2])
        #expect(analysis.threads.crossings == [.init(allocatedBy: 0, freedBy: 1, frees: 1, bytes: 5000)])
        #expect(analysis.steps == nil)
        #expect(analysis.likelyLeaks.isEmpty)
        #expect(analysis.drifts.isEmpty)
        let mebibytes = 2 << 20
        #expect(
            analysis.liveCurve.peakBytes == [
                100, 5100, 5000, 5100, 100, 100 + mebibytes, mebibytes, 5000 + mebibytes, 5000,
            ])
        #expect(
            analysis.peakDemand
                == PeakDemand(
                    verySmall: 100, small: 5000, medium: 0, large: 2 << 20, veryLarge: 0, granules: 2 << 20))
    }

    @Test func withoutTimesThereAreNoDurations() throws {
        let analysis = TraceAnalysis(try trace(example, nanosecondsApart: nil))
        #expect(analysis.durationNanoseconds == nil)
        #expect(analysis.lifetimes.nanoseconds == nil)
        #expect(analysis.lifetimes.events != nil)
    }

    @Test func anEmptyTraceHasNoFigures() throws {
        let analysis = TraceAnalysis(try trace([]))
        #expect(analysis.summary.eventCount == 0)
        #expect(analysis.lifetimes.events == nil)
        #expect(analysis.steps == nil)
        #expect(analysis.sizes.mostBytes.isEmpty)
        #expect(analysis.liveCurve.peakBytes.isEmpty)
    }

    @Test func sharedOutInGranules() {
        var collector = PeakDemandCollector()
        collector.observe(TraceEvent(kind: .allocate, slot: 0, byteCount: (14 << 10) + 1, thread: 0))
        collector.observe(TraceEvent(kind: .allocate, slot: 1, byteCount: (1 << 20) + 1, thread: 0))
        collector.observe(TraceEvent(kind: .free, slot: 0, byteCount: (14 << 10) + 1, thread: 0))
        collector.observe(TraceEvent(kind: .allocate, slot: 0, byteCount: 14 << 10, thread: 0))
        #expect(
            collector.demand
                == PeakDemand(
                    verySmall: 0, small: 14 << 10, medium: 16 << 10, large: (1 << 20) + (16 << 10), veryLarge: 0,
                    granules: (1 << 20) + (32 << 10)))
    }

    @Test func longTracesKeepABoundedCurve() {
        var collector = LiveCurveCollector(maximumPoints: 8)
        for index in 0..<1000 {
            let isAllocation = index % 2 == 0
            collector.observe(TraceEvent(kind: isAllocation ? .allocate : .free, slot: 0, byteCount: 10, thread: 0))
        }
        #expect(collector.curve.peakBytes == Array(repeating: 10, count: 8))
        #expect(collector.curve.firstEvents == (0..<8).map { $0 * 128 })
    }
}

@Suite struct DistributionTests {
    @Test func smallValuesAreExact() throws {
        var collector = DistributionCollector()
        for value in (0...1000 as ClosedRange<UInt64>).shuffled() { collector.record(value) }
        let distribution = try #require(collector.distribution)
        #expect(
            [distribution.minimum, distribution.p50, distribution.p90, distribution.p99, distribution.maximum]
                == [0, 500, 900, 990, 1000])
        #expect(distribution.buckets.map(\.lowest) == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
        #expect(distribution.buckets.map(\.count) == [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 489])
    }

    @Test func largeValuesAreOffByAThousandthAtTheMost() throws {
        var collector = DistributionCollector()
        for value in [UInt64.max, 1 << 61, 1_000_000_007] { collector.record(value) }
        let distribution = try #require(collector.distribution)
        #expect(distribution.minimum == 1_000_000_007)
        #expect(distribution.maximum == 1 << 62)
        #expect(abs(Double(distribution.p50) / Double(1 << 61) - 1) <= 0.001)
    }

    @Test func nothingHasNoDistribution() {
        #expect(DistributionCollector().distribution == nil)
    }
}
