import Testing

@testable import AllocationTrace

@Suite struct TraceSamplerTests {
    private struct Writer: ~Copyable {
        var builder = AllocationTraceBuilder(maximumEvents: 1 << 20)
        var last: UInt64 = 0

        mutating func allocate(_ byteCount: Int) throws -> UInt64 {
            last += 1
            try builder.allocate(address: last, byteCount: byteCount, thread: last % 3)
            return last
        }

        mutating func free(_ address: UInt64) throws {
            try builder.free(address: address, byteCount: nil, thread: address % 2)
        }

        consuming func finish() -> AllocationTrace { builder.finish() }
    }

    /// Steps of random layers, tensors kept over steps, and some never freed.
    private func steps(_ random: inout SeededGenerator, count: Int = 400) throws -> AllocationTrace {
        var writer = Writer()
        var kept: [UInt64] = []
        for _ in 0..<10 { _ = try writer.allocate(1 << 16) }
        for step in 0..<count {
            let scale = 1 << Int.random(in: 8...14, using: &random)
            for layer in 1...Int.random(in: 2...12, using: &random) {
                let output = try writer.allocate(scale * layer)
                try writer.free(writer.allocate(64 * layer))
                try writer.free(output)
            }
            if step % 10 == 0 { kept.append(try writer.allocate(scale)) }
            if kept.count > 4 { try writer.free(kept.removeFirst()) }
        }
        return writer.finish()
    }

    /// Bytes and allocations an event.
    private func rates(_ trace: AllocationTrace, from least: Int = 0) -> (bytes: Double, allocations: Double) {
        let allocations = trace.events.filter { $0.kind == .allocate && $0.byteCount >= least }
        let events = Double(trace.events.count)
        return (allocations.reduce(0) { $0 + Double($1.byteCount) } / events, Double(allocations.count) / events)
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func samplesAreLikeTheWhole(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let whole = try steps(&random)
        let sample = try TraceSampler(whole).sample(eventCount: 4000, seed: seed)
        #expect(sample.events.count > 2000 && sample.events.count < 4800, "seed \(seed): \(sample.events.count)")
        for least in [0, 1 << 14] {
            let (some, all) = (rates(sample, from: least), rates(whole, from: least))
            #expect(abs(some.bytes / all.bytes - 1) < 0.25, "seed \(seed), from \(least): \(some) \(all)")
            #expect(abs(some.allocations / all.allocations - 1) < 0.25, "seed \(seed), from \(least): \(some) \(all)")
        }
    }

    /// Every event of a sample is the whole's, in its order, and in a window that is taken the same is alive as there.
    @Test(arguments: 0..<3 as Range<UInt64>)
    func whatIsAliveIsWhatWasAlive(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let whole = try steps(&random, count: 60)
        let windows = TraceWindows(whole)
        let sampler = TraceSampler(whole)
        let kept = SampleSearch(windows).keep(eventCount: 300, seed: seed)
        let sample = try sampler.sample(eventCount: 300, seed: seed)
        var live: [UInt32: Int] = [:]
        var expected: [[Int]] = []
        var windowOfEvent: [Int] = []
        for window in 0..<windows.count {
            windowOfEvent += Array(
                repeating: window, count: windows.boundaries[window + 1] - windows.boundaries[window])
        }
        for (index, event) in whole.events.enumerated() {
            live[event.slot] = event.kind == .allocate ? event.byteCount : nil
            if kept[windowOfEvent[index]] { expected.append(live.values.sorted()) }
        }
        live = [:]
        var found: [[Int]] = []
        for event in sample.events {
            live[event.slot] = event.kind == .allocate ? event.byteCount : nil
            found.append(live.values.sorted())
        }
        // What is found between them are the events that the windows need of others.
        var next = 0
        for state in found where next < expected.count && state == expected[next] { next += 1 }
        #expect(next == expected.count, "seed \(seed)")
        #expect(expected.count > 0, "seed \(seed)")
        #expect(sample.irregularities == TraceIrregularities(), "seed \(seed)")
    }

    @Test func theSameSeedGivesTheSameSample() throws {
        var random = SeededGenerator(seed: 1)
        let sampler = TraceSampler(try steps(&random, count: 100))
        let first = try sampler.sample(eventCount: 300, seed: 7)
        #expect(try sampler.sample(eventCount: 300, seed: 7) == first)
        #expect(try sampler.sample(eventCount: 300, seed: 8) != first)
    }

    @Test func shortTracesAreTakenWhole() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 10)
        #expect(try TraceSampler(builder.finish()).sample(eventCount: 5, seed: 1).events.isEmpty)
        builder = AllocationTraceBuilder(maximumEvents: 10)
        for address in 1...5 as ClosedRange<UInt64> {
            try builder.allocate(address: address, byteCount: Int(address), thread: 1)
        }
        let trace = builder.finish()
        let sampler = TraceSampler(trace)
        #expect(try sampler.sample(eventCount: 5, seed: 1) == trace)
        // One window is the least, and here the only one.
        #expect(try sampler.sample(eventCount: 1, seed: 1).events.count == 5)
    }

    /// Bytes without a bound, in an order that no step explains.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func anyLegalTraceHasSamples(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var builder = AllocationTraceBuilder(maximumEvents: 10_000)
        var live: [UInt64] = []
        for address in 1...UInt64.random(in: 1...3000, using: &random) {
            let byteCount = Int.random(in: 0...(1 << Int.random(in: 0...44, using: &random)), using: &random)
            try builder.allocate(address: address, byteCount: byteCount, thread: 1)
            live.append(address)
            if live.count > 50 {
                let index = Int.random(in: 0..<live.count, using: &random)
                try builder.free(address: live.remove(at: index), byteCount: nil, thread: 1)
            }
        }
        let whole = builder.finish()
        let sampler = TraceSampler(whole)
        for wanted in [0, whole.events.count / 2, whole.events.count] {
            let sample = try sampler.sample(eventCount: wanted, seed: seed)
            #expect(!sample.events.isEmpty && sample.events.count <= whole.events.count, "seed \(seed)")
        }
    }
}
