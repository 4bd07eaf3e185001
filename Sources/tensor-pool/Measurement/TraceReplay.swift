import AllocationTrace

/// Replays a trace on the chosen allocator: the one place that knows which measurement belongs to which choice.
struct TraceReplay {
    struct Outcome {
        /// The allocator's name and version.
        let allocator: String
        let report: ReplayReport
    }

    /// The file of `trace`, which the helper process reads again.
    let path: String
    let trace: AllocationTrace
    let touch: Touch
    let rounds: Int

    /// - Parameter report: told after each round how many are done.
    func run(on pool: PoolChoice, afterEach report: (_ roundsDone: Int) -> Void) throws -> Outcome {
        switch pool {
        case .jemalloc:
            Outcome(
                allocator: "jemalloc \(JemallocBlock.version ?? "of unknown version")",
                report: try run(JemallocBlock.self, on: (), afterEach: report))
        case .system:
            try runInHelper(afterEach: report)
        }
    }

    private func run<Block: ReplayBlock & ~Copyable>(
        _ block: Block.Type, on source: Block.Source, afterEach report: (Int) -> Void
    ) throws(ReplayError) -> ReplayReport {
        JemallocBlock.releaseUnusedMemory()
        var replay = try Replay<Block>(trace, on: source, touch: touch)
        return try replay.run(rounds: rounds, afterEach: report)
    }

    private func runInHelper(afterEach report: (Int) -> Void) throws -> Outcome {
        let helper = try SystemMallocHelper()
        let description = try helper.describe()
        var whole = try helper.replay(path: path, touch: touch, rounds: 1)
        report(1)
        while whole.rounds.count < rounds {
            whole.rounds += try helper.replay(path: path, touch: touch, rounds: 1).rounds
            report(whole.rounds.count)
        }
        return Outcome(allocator: description.label, report: whole)
    }
}

extension SystemMallocDescription {
    /// For a heading: what was measured, and where.
    var label: String {
        allocator + (isReplacedByJemalloc ? ", REPLACED BY A PRELOADED JEMALLOC" : ", in a process without jemalloc")
    }
}
