public import Synchronization

/// Measures what one allocation and its release cost, at one size.
public struct PairMeasurement: Codable, Hashable, Sendable {
    /// Above 0.
    public let byteCount: Int
    /// What is written to each block.
    public let touch: Touch

    /// A pair of `byteCount` bytes, at least 1. Fewer stop the program.
    public init(byteCount: Int, touch: Touch) {
        guard byteCount > 0 else { fatalError("a pair of \(byteCount) bytes measures nothing") }
        self.byteCount = byteCount
        self.touch = touch
    }

    /// Measures pairs in a row: the mean, with the loop's own cost (below 1 ns) and that of touching in it.
    ///
    /// One pair goes before, unmeasured, so that the allocator is warm for this size.
    /// - Parameters:
    ///   - iterations: how many pairs, above 0; nil to find how many the budget has room for.
    ///   - budget: about how long it may take. At least one pair is measured, whatever it takes.
    @inlinable public func measure<Block: ReplayBlock & ~Copyable>(
        _ block: Block.Type, on source: Block.Source, iterations: Int?, budget: Duration
    ) throws(ReplayError) -> PairSample {
        _ = try run(block, on: source, iterations: 1)
        let iterations = if let iterations { iterations } else { try calibrate(block, on: source, budget: budget) }
        let duration = try run(block, on: source, iterations: iterations)
        return PairSample(
            nanosecondsPerPair: duration / .nanoseconds(1) / Double(iterations), iterations: iterations)
    }

    /// Doubles the number of pairs until they take an eighth of the budget, and scales up from there.
    ///
    /// The fastest of three runs must take that long: a single one that something else on the machine interrupts would
    /// leave every later sample with a handful of pairs.
    @inlinable func calibrate<Block: ReplayBlock & ~Copyable>(
        _ block: Block.Type, on source: Block.Source, budget: Duration
    ) throws(ReplayError) -> Int {
        var iterations = 1
        while iterations < 1 << 40 {
            var duration = try run(block, on: source, iterations: iterations)
            for _ in 0..<2 where duration * 8 >= budget {
                duration = min(duration, try run(block, on: source, iterations: iterations))
            }
            if duration * 8 >= budget {
                return max(1, Int(Double(iterations) * min(budget / duration, 8)))
            }
            iterations *= 2
        }
        return iterations
    }

    @inlinable func run<Block: ReplayBlock & ~Copyable>(
        _ block: Block.Type, on source: Block.Source, iterations: Int
    ) throws(ReplayError) -> Duration {
        switch touch {
        case .none: try run(block, on: source, iterations: iterations, touching: TouchNothing.self)
        case .page: try run(block, on: source, iterations: iterations, touching: TouchPages.self)
        case .full: try run(block, on: source, iterations: iterations, touching: TouchBytes.self)
        }
    }

    @inlinable func run<Block: ReplayBlock & ~Copyable, Action: TouchAction>(
        _ block: Block.Type, on source: Block.Source, iterations: Int, touching: Action.Type
    ) throws(ReplayError) -> Duration {
        let byteCount = byteCount
        let sink = AddressSink.shared
        let start = ContinuousClock.now
        for index in 0..<iterations {
            let block: Block
            do {
                block = try Block.allocate(byteCount: byteCount, id: 0, from: source)
            } catch {
                throw .allocationFailed(event: index, byteCount: byteCount, reason: "\(error)")
            }
            // Within the block, which is alive until the next statement.
            unsafe Action.touch(block.address, byteCount: byteCount)
            unsafe sink.lastAddress.store(UInt(bitPattern: block.address), ordering: .relaxed)
            do {
                try block.deallocate(byteCount: byteCount, id: 0, to: source)
            } catch {
                throw .deallocationFailed(event: index, byteCount: byteCount, reason: "\(error)")
            }
        }
        return ContinuousClock.now - start
    }
}

/// Takes every address that a pair loop gets, so that the compiler cannot do without the allocation.
@usableFromInline final class AddressSink: Sendable {
    @usableFromInline static let shared = AddressSink()
    @usableFromInline let lastAddress = Atomic<UInt>(0)
}

/// The outcome of one ``PairMeasurement``.
public struct PairSample: Codable, Equatable, Sendable {
    /// The mean over the pairs.
    public let nanosecondsPerPair: Double
    /// How many pairs were timed together.
    public let iterations: Int

    /// A sample of a measurement.
    public init(nanosecondsPerPair: Double, iterations: Int) {
        self.nanosecondsPerPair = nanosecondsPerPair
        self.iterations = iterations
    }
}
