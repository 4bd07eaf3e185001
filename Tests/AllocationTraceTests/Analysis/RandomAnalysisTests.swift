import Testing

@testable import AllocationTrace

/// Random traces against the same figures, computed from their definitions.
@Suite struct RandomAnalysisTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func figuresEqualNaiveOnes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let trace = try randomTrace(&random)
        let analysis = TraceAnalysis(trace)
        let naive = Naive(trace)
        #expect(analysis.sizes.mostFrequent.map(\.allocations).reduce(0, +) == naive.topAllocations(20), "seed \(seed)")
        for size in analysis.sizes.mostBytes {
            #expect(size.allocations == naive.allocations[size.byteCount], "seed \(seed)")
            #expect(size.peakLiveBlocks == naive.peakLive(of: size.byteCount), "seed \(seed)")
        }
        #expect(analysis.lifetimes.events?.count ?? 0 == naive.lifetimes.count, "seed \(seed)")
        if let lifetimes = analysis.lifetimes.events {
            // Below 2,048 the histogram is exact.
            #expect(lifetimes.p50 == naive.percentile(naive.lifetimes, 50), "seed \(seed)")
            #expect(lifetimes.p90 == naive.percentile(naive.lifetimes, 90), "seed \(seed)")
            #expect(lifetimes.p99 == naive.percentile(naive.lifetimes, 99), "seed \(seed)")
            #expect(lifetimes.maximum == naive.lifetimes.max(), "seed \(seed)")
        }
        #expect(analysis.lifetimes.temporaries == naive.temporaries, "seed \(seed)")
        let reuse = naive.reuseDistances()
        #expect(analysis.reuse.newBlocks == trace.summary.allocationCount - reuse.count, "seed \(seed)")
        #expect(analysis.reuse.distanceEvents?.p50 == naive.percentile(reuse, 50), "seed \(seed)")
        #expect(analysis.reuse.distanceEvents?.maximum == reuse.max(), "seed \(seed)")
        let crossings = analysis.threads.crossings.map { [$0.allocatedBy, $0.freedBy, $0.frees, $0.bytes] }
        #expect(Set(crossings) == naive.crossings, "seed \(seed)")
        #expect(analysis.liveCurve.peakBytes.max() ?? 0 == trace.summary.peakLiveBytes, "seed \(seed)")
        for category in analysis.sizes.categories {
            #expect(category.peakLiveBytes == naive.peakLive(of: category.category), "seed \(seed)")
        }
    }

    private func randomTrace(_ random: inout SeededGenerator) throws -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: 10_000)
        var live: [UInt64] = []
        let sizes = (0..<Int.random(in: 1...40, using: &random)).map { _ in
            1 << Int.random(in: 0...25, using: &random) + Int.random(in: 0...3, using: &random)
        }
        for name in 1...UInt64.random(in: 2...1000, using: &random) {
            let thread = UInt64.random(in: 1...3, using: &random)
            if Bool.random(using: &random), let index = live.indices.randomElement(using: &random) {
                try builder.free(address: live.remove(at: index), byteCount: nil, thread: thread)
            } else if let byteCount = sizes.randomElement(using: &random) {
                try builder.allocate(address: name, byteCount: byteCount, thread: thread)
                live.append(name)
            }
        }
        return builder.finish()
    }
}

/// Everything by its definition, however slow.
private struct Naive {
    let trace: AllocationTrace
    var allocations: [Int: Int] = [:]
    var lifetimes: [UInt64] = []
    var temporaries = 0
    var crossings: Set<[Int]> = []

    init(_ trace: AllocationTrace) {
        self.trace = trace
        var byPair: [[Int]: (Int, Int)] = [:]
        for (index, event) in trace.events.enumerated() {
            guard event.kind == .free else {
                allocations[event.byteCount, default: 0] += 1
                continue
            }
            let born = trace.events[..<index].lastIndex { $0.slot == event.slot && $0.kind == .allocate } ?? 0
            lifetimes.append(UInt64(index - born))
            let owner = trace.events[born].thread
            if owner == event.thread && index - born <= 32 { temporaries += 1 }
            if owner != event.thread {
                let old = byPair[[Int(owner), Int(event.thread)], default: (0, 0)]
                byPair[[Int(owner), Int(event.thread)]] = (old.0 + 1, old.1 + event.byteCount)
            }
        }
        crossings = Set(byPair.map { $0.key + [$0.value.0, $0.value.1] })
    }

    func topAllocations(_ count: Int) -> Int { allocations.values.sorted(by: >).prefix(count).reduce(0, +) }

    func peakLive(of byteCount: Int) -> Int {
        peak { $0.byteCount == byteCount ? 1 : 0 }
    }

    func peakLive(of category: SizeCategory) -> Int {
        peak { SizeCategory(byteCount: $0.byteCount) == category ? $0.byteCount : 0 }
    }

    private func peak(_ weight: (TraceEvent) -> Int) -> Int {
        var live = 0
        return trace.events.reduce(0) { highest, event in
            live += event.kind == .allocate ? weight(event) : -weight(event)
            return max(highest, live)
        }
    }

    /// Each allocation takes the latest free of its size that no other took.
    func reuseDistances() -> [UInt64] {
        var taken: Set<Int> = []
        return trace.events.indices.compactMap { index -> UInt64? in
            let event = trace.events[index]
            guard event.kind == .allocate,
                let free = trace.events[..<index].indices.last(where: {
                    trace.events[$0].kind == .free && trace.events[$0].byteCount == event.byteCount
                        && !taken.contains($0)
                })
            else { return nil }
            taken.insert(free)
            return UInt64(index - free)
        }
    }

    /// The smallest value that at least the share lies at or below.
    func percentile(_ values: [UInt64], _ share: Double) -> UInt64? {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return nil }
        return sorted[max(0, Int((share / 100 * Double(sorted.count)).rounded(.up)) - 1)]
    }
}
