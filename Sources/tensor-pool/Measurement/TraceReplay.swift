import AllocationTrace
import TensorPool

/// Replays a trace on the chosen allocator: the one place that knows which measurement belongs to which choice.
struct TraceReplay {
    struct Outcome {
        /// The allocator's name and version.
        let allocator: String
        let report: ReplayReport
        /// Nil where the allocator is not a pool of this package.
        let figures: PoolFigures?
    }

    /// The trace, and where it came from: the helper process reads it again.
    let file: TraceFile
    let touch: Touch
    let mode: ReplayMode
    let rounds: Int
    /// How far a warm-up goes before them; nil for none.
    var warmUp: WarmUpLimit?
    /// Rounds after them with the clock read at each event.
    var latencyRounds = 0
    /// No round begins after this time, but for the first five; nil for no such bound.
    var timeLimit: Duration?
    /// Of the pool; nil for its default.
    var configuration: PoolConfiguration?

    private var trace: AllocationTrace { file.trace }

    /// - Parameter report: told after each round how many are done.
    func run(on pool: PoolChoice, afterEach report: (_ roundsDone: Int) -> Void) throws -> Outcome {
        switch pool {
        case .standard: try run(TensorMemoryPool.self, afterEach: report)
        case .optimized: try run(OptimizedTensorMemoryPool.self, afterEach: report)
        case .adaptive: try run(AdaptiveTensorMemoryPool.self, afterEach: report)
        case .jemalloc:
            Outcome(
                allocator: "jemalloc \(JemallocBlock.version ?? "of unknown version")",
                report: try run(JemallocBlock.self, on: (), afterEach: report), figures: nil)
        case .system:
            try runInHelper(preloading: nil, afterEach: report)
        case .tcmalloc:
            try runInHelper(preloading: .tcmalloc, afterEach: report)
        case .mimalloc:
            try runInHelper(preloading: .mimalloc, afterEach: report)
        }
    }

    /// Goes through the trace, or as far as the limit lets it, and then again as far: no rounds are measured.
    func look(at pool: PoolChoice, _ limit: WarmUpLimit) throws -> [ReplayWarmUp] {
        switch pool {
        case .standard: try look(at: TensorMemoryPool.self, limit)
        case .optimized: try look(at: OptimizedTensorMemoryPool.self, limit)
        case .adaptive: try look(at: AdaptiveTensorMemoryPool.self, limit)
        case .jemalloc: try look(at: JemallocBlock.self, on: (), limit)
        case .system: try lookInHelper(preloading: nil, limit)
        case .tcmalloc: try lookInHelper(preloading: .tcmalloc, limit)
        case .mimalloc: try lookInHelper(preloading: .mimalloc, limit)
        }
    }

    private func look<Pool: MeasuredPool>(at: Pool.Type, _ limit: WarmUpLimit) throws -> [ReplayWarmUp] {
        let pool = try PoolConstruction<Pool>(configuration: configuration).pool
        return try look(at: TensorBufferBlock<Pool>.self, on: pool, limit)
    }

    private func look<Block: ReplayBlock & ~Copyable>(
        at: Block.Type, on source: Block.Source, _ limit: WarmUpLimit
    ) throws(ReplayError) -> [ReplayWarmUp] {
        var replay = try Replay<Block>(trace, on: source, touch: touch, mode: mode)
        let first = try replay.warmUp(limit)
        return [first, try replay.warmUp(limit.again(first))]
    }

    private func lookInHelper(
        preloading malloc: PreloadedMalloc?, _ limit: WarmUpLimit
    ) throws -> [ReplayWarmUp] {
        let helper = try SystemMallocHelper(preloading: malloc?.library())
        let source = try RereadableTrace(file)
        // A temporary file has to be there until the helper has read it.
        defer { withExtendedLifetime(source) {} }
        let first = try helper.warmUp(path: source.path, touch: touch, mode: mode, limit)
        return [first, try helper.warmUp(path: source.path, touch: touch, mode: mode, limit.again(first))]
    }

    private func run<Pool: MeasuredPool>(_: Pool.Type, afterEach report: (Int) -> Void) throws -> Outcome {
        JemallocBlock.releaseUnusedMemory()
        let construction = try PoolConstruction<Pool>(configuration: configuration)
        let pool = construction.pool
        var first = pool.statistics()
        let replay = try run(TensorBufferBlock<Pool>.self, on: pool) { done in
            if done == 1 && rounds > 1 { first = pool.statistics() }
            report(done)
        }
        return Outcome(
            allocator: "TensorPool's \(Pool.name.rawValue) pool on jemalloc "
                + (JemallocBlock.version ?? "of unknown version"),
            report: replay,
            figures: PoolFigures(construction: construction.cost, first: first, last: pool.statistics()))
    }

    private func run<Block: ReplayBlock & ~Copyable>(
        _ block: Block.Type, on source: Block.Source, afterEach report: (Int) -> Void
    ) throws(ReplayError) -> ReplayReport {
        JemallocBlock.releaseUnusedMemory()
        var replay = try Replay<Block>(trace, on: source, touch: touch, mode: mode)
        let start = ContinuousClock.now
        let before: ReplayWarmUp? = if let warmUp { try replay.warmUp(warmUp) } else { nil }
        var whole = try replay.run(rounds: 1)
        whole.warmUp = before
        report(1)
        while isWanted(another: whole.rounds.count, since: start) {
            whole.rounds.append(try replay.runRound())
            report(whole.rounds.count)
        }
        for _ in 0..<latencyRounds { try replay.measureLatencies() }
        whole.latencies = replay.latencies
        return whole
    }

    private func isWanted(another done: Int, since start: ContinuousClock.Instant) -> Bool {
        guard done < rounds else { return false }
        guard done > 4, let timeLimit else { return true }
        return ContinuousClock.now - start < timeLimit
    }

    private func runInHelper(
        preloading malloc: PreloadedMalloc?, afterEach report: (Int) -> Void
    ) throws -> Outcome {
        let library = try malloc?.library()
        let helper = try SystemMallocHelper(preloading: library)
        let source = try RereadableTrace(file)
        // A temporary file has to be there until the helper has read it.
        defer { withExtendedLifetime(source) {} }
        let description = try helper.describe()
        if let malloc, let library { try malloc.check(description, preloaded: library) }
        let start = ContinuousClock.now
        var whole = try helper.replay(
            path: source.path, touch: touch, mode: mode, warmUp: warmUp, rounds: 1)
        report(1)
        while isWanted(another: whole.rounds.count, since: start) {
            let next = try helper.replay(path: source.path, touch: touch, mode: mode, rounds: 1)
            whole.rounds += next.rounds
            whole.latencies = next.latencies
            report(whole.rounds.count)
        }
        if latencyRounds > 0 {
            let clocked = try helper.replay(
                path: source.path, touch: touch, mode: mode, rounds: 0, latencyRounds: latencyRounds)
            whole.latencies = clocked.latencies
        }
        return Outcome(
            allocator: malloc.map { $0.label(description) } ?? description.label, report: whole, figures: nil)
    }
}

extension SystemMallocDescription {
    /// For a heading: what was measured, and where.
    var label: String {
        allocator + (isReplacedByJemalloc ? ", REPLACED BY A PRELOADED JEMALLOC" : ", in a process without jemalloc")
    }
}

extension WarmUpLimit {
    /// No further than last time: what lies there is new.
    fileprivate func again(_ last: ReplayWarmUp) -> WarmUpLimit {
        WarmUpLimit(processorNanoseconds: processorNanoseconds, eventCount: last.eventCount)
    }
}
