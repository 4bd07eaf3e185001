import Testing

@testable import AllocationTrace

@Suite struct StepFinderTests {
    /// A step of `length` random sizes with `layers` equal layers in its middle, and other sizes at both ends.
    private func step(length: Int, layers: Int, _ random: inout SeededGenerator) -> [Int32] {
        let layer = (0..<max(2, length / (layers + 1))).map { _ in Int32.random(in: 0..<20, using: &random) }
        let head = (0..<max(0, length - layers * layer.count)).map { _ in Int32.random(in: 20..<40, using: &random) }
        return head + (0..<layers).flatMap { _ in layer }
    }

    @Test(arguments: [(10, 1), (48, 1), (100, 4), (301, 12), (500, 48)], [0.0, 0.002, 0.01])
    func findsStepsWithNoise(shape: (length: Int, layers: Int), noise: Double) throws {
        for seed in 0..<2 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let one = step(length: shape.length, layers: shape.layers, &random)
            var symbols: [Int32] = []
            for _ in 0..<12 {
                for symbol in one {
                    let chance = Double.random(in: 0..<1, using: &random)
                    // One third each: another symbol, one more, one less.
                    if chance < noise / 3 {
                        symbols.append(Int32.random(in: 0..<40, using: &random))
                    } else if chance < noise * 2 / 3 {
                        symbols += [symbol, Int32.random(in: 0..<40, using: &random)]
                    } else if chance >= noise {
                        symbols.append(symbol)
                    }
                }
            }
            let period = try #require(StepFinder(symbols).find(), "seed \(seed), \(shape), noise \(noise)")
            let error = abs(Double(period.length) / Double(one.count) - 1)
            #expect(error <= (noise == 0 ? 0 : 0.05), "seed \(seed), \(shape), noise \(noise): \(period)")
            if noise == 0 { #expect(period.matchShare == 1) }
        }
    }

    @Test(arguments: 0..<3 as Range<UInt64>, [2, 5, 40, 500] as [Int32])
    func findsNoStepInRandomSizes(seed: UInt64, sizes: Int32) {
        var random = SeededGenerator(seed: seed)
        let symbols = (0..<1000).map { _ in Int32.random(in: 0..<sizes, using: &random) }
        #expect(StepFinder(symbols).find() == nil, "seed \(seed), \(sizes) sizes")
    }

    @Test func findsNoStepInLittle() {
        #expect(StepFinder([]).find() == nil)
        #expect(StepFinder([1, 2, 1, 2]).find() == nil)
        #expect(StepFinder([Int32](repeating: 0, count: 1000)).find() == nil)
        #expect(StepFinder((0..<1000).map { Int32($0) }).find() == nil)
        // Allocated and freed, over and over: it repeats, but that is no step.
        let pairs = (0..<1000).map { Int32($0 % 2) }
        #expect(StepFinder(pairs).find()?.length == 2)
        #expect(StepFinder(pairs).find(minimumLength: 8) == nil)
    }

    @Test func boundariesFollowInsertedSymbols() {
        let one = (0..<50).map { Int32($0) }
        // One more symbol in the third step moves all that follow.
        let symbols = one + one + one[..<20] + [99] + one[20...] + one + one
        let boundaries = StepFinder(symbols.map(\.self)).boundaries(period: 50, first: 0)
        #expect(boundaries == [0, 50, 100, 151, 201])
    }
}

@Suite struct StepFiguresTests {
    /// Steps in which sizes 1000 and 2000 are asked for twice, 3000 once; 2000 stays live until the next step.
    @Test func lockStepAndLength() throws {
        var builder = AllocationTraceBuilder(maximumEvents: 10_000)
        for step in 0..<20 as Range<UInt64> {
            let base = step * 100
            let start = Int64(step) * 1000
            for (offset, byteCount) in [(1, 1000), (2, 2000), (3, 1000), (4, 2000), (5, 3000)] {
                try builder.allocate(
                    address: base + UInt64(offset), byteCount: byteCount, thread: 1, time: start + Int64(offset))
            }
            for offset in [1, 3, 5] as [UInt64] {
                try builder.free(address: base + offset, byteCount: nil, thread: 1, time: start + 10)
            }
            if step > 0 {
                for offset in [2, 4] as [UInt64] {
                    try builder.free(address: base - 100 + offset, byteCount: nil, thread: 1, time: start + 20)
                }
            }
        }
        let steps = try #require(TraceAnalysis(builder.finish()).steps)
        #expect(steps.basis == .sizes)
        #expect(steps.matchShare == 1)
        #expect(steps.allocationsPerStep == 5)
        #expect(steps.eventsPerStep == 10)
        #expect(steps.nanosecondsPerStep == 1000)
        #expect(steps.steps >= 18)
        #expect(
            steps.groups == [
                .init(timesPerStep: 2, sizes: [2000, 1000], sizeCount: 2),
                .init(timesPerStep: 1, sizes: [3000], sizeCount: 1),
            ])
    }

    /// The sizes differ from step to step, the order of allocations and frees does not.
    @Test func structureWhereSizesChange() throws {
        var random = SeededGenerator(seed: 3)
        var builder = AllocationTraceBuilder(maximumEvents: 100_000)
        // Which of 20 blocks is allocated or freed when, the same in each step.
        var order: [UInt64] = []
        var live: Set<UInt64> = []
        while order.count < 60 || !live.isEmpty {
            let block = UInt64.random(in: 1...20, using: &random)
            if order.count >= 60 && !live.contains(block) { continue }
            order.append(block)
            if live.remove(block) == nil { live.insert(block) }
        }
        for _ in 0..<30 {
            for block in order {
                if live.remove(block) != nil {
                    try builder.free(address: block, byteCount: nil, thread: 1)
                } else {
                    try builder.allocate(
                        address: block, byteCount: Int.random(in: 1...1_000_000, using: &random), thread: 1)
                    live.insert(block)
                }
            }
        }
        let steps = try #require(TraceAnalysis(builder.finish()).steps)
        #expect(steps.basis == .structure)
        #expect(steps.eventsPerStep == order.count)
    }

    /// As a decoder's: layers that are alike within a step, and caches that each step replaces by larger ones. Sizes
    /// come back from layer to layer, never from step to step; the step is the whole of it.
    @Test(arguments: [4, 12, 48], [0, 64, 1000])
    func aStepOfLayersThatGrows(layers: Int, growth: Int) throws {
        var history = History()
        for layer in 0..<layers { try history.allocate(1000 + layer, 5000) }
        let before = history.eventCount
        let steps = 40
        for step in 1...steps {
            for head in 1...5 { try history.allocate(head, 100 * head) }
            for layer in 0..<layers {
                try history.allocate(10, 3000 + step * growth)
                try history.allocate(11, 3000)
                // The new cache and the old one live together for a moment.
                try history.allocate(2000 + layer, 5000 + step * growth)
                try history.free(1000 + layer)
                try history.allocate(1000 + layer, 5000 + step * growth)
                try history.free(11)
                try history.free(2000 + layer)
                try history.free(10)
            }
            for head in (1...5).reversed() { try history.free(head) }
        }
        let eventsPerStep = (history.eventCount - before) / steps
        let trace = history.finish()
        let found = try #require(TraceAnalysis(trace).steps)
        #expect(found.eventsPerStep == eventsPerStep, "\(found.basis), \(found.matchShare)")
        #expect(found.matchShare > 0.9)
        #expect(found.steps >= steps - 2)
    }

    /// As an encoder's: every step has inputs of another shape, so no size comes back, and the layers of a step are
    /// alike but for one in three that also allocates scratch.
    @Test(arguments: [6, 13, 24])
    func aStepOfLayersOfChangingShapes(layers: Int) throws {
        var random = SeededGenerator(seed: UInt64(layers))
        var history = History()
        let steps = 30
        for _ in 1...steps {
            let shape = Int.random(in: 1000...1_000_000, using: &random)
            for part in 1...4 { try history.allocate(part, shape * part) }
            for layer in 0..<layers {
                try history.allocate(10, shape)
                try history.allocate(11, 2 * shape)
                if layer % 3 == 2 {
                    try history.allocate(12, shape / 2)
                    try history.free(12)
                }
                try history.free(10)
                try history.allocate(13, 3 * shape)
                try history.free(11)
                try history.free(13)
            }
            for part in 1...4 { try history.free(part) }
        }
        let eventsPerStep = history.eventCount / steps
        let trace = history.finish()
        let found = try #require(TraceAnalysis(trace).steps)
        #expect(found.basis == .structure)
        #expect(found.eventsPerStep == eventsPerStep, "\(found.matchShare)")
        #expect(found.matchShare > 0.9)
    }
}

/// A history on one thread that is made up.
private struct History: ~Copyable {
    private var builder = AllocationTraceBuilder(maximumEvents: 1_000_000)

    var eventCount: Int { builder.eventCount }

    mutating func allocate(_ address: Int, _ byteCount: Int) throws {
        try builder.allocate(address: UInt64(address), byteCount: byteCount, thread: 1)
    }

    mutating func free(_ address: Int) throws {
        try builder.free(address: UInt64(address), byteCount: nil, thread: 1)
    }

    consuming func finish() -> AllocationTrace { builder.finish() }
}
