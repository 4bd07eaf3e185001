import Foundation

/// Every allocator on every trace, untouched and touched.
struct TraceSuite {
    let settings: Settings
    let traces: [PreparedTrace]
    let competitors: [Competitor]

    func run(_ progress: Progress) throws -> [TraceRun] {
        var runs = traces.flatMap { trace in
            TraceRun.Touch.allCases.flatMap { touch in
                competitors.map { TraceRun(trace: trace.name, competitor: $0.name, touch: touch) }
            }
        }
        var slow: Set<Int> = []
        for repetition in 0..<settings.repetitions {
            for index in runs.indices where repetition < settings.slowRepetitions || !slow.contains(index) {
                guard let trace = traces.first(where: { $0.name == runs[index].trace }),
                    let competitor = competitors.first(where: { $0.name == runs[index].competitor })
                else { continue }
                progress.show("traces \(repetition + 1)/\(settings.repetitions): \(trace.name), \(competitor.name)")
                let start = ContinuousClock.now
                runs[index].add(try measure(trace, competitor, runs[index].touch))
                if (ContinuousClock.now - start) / .seconds(1) > settings.slowSeconds { slow.insert(index) }
            }
        }
        return runs
    }

    private func measure(_ trace: PreparedTrace, _ competitor: Competitor, _ touch: TraceRun.Touch) throws
        -> WorkerOutput
    {
        // Memory is judged by the touched rounds, single events by the untouched ones.
        let latencyRounds = touch == .none && competitor.kind != .swift ? settings.latencyRounds : 0
        let rest = [
            trace.path, touch.rawValue, "\(settings.rounds)", "\(settings.roundBudgetMilliseconds)",
            "\(latencyRounds)",
        ]
        return switch competitor.kind {
        case .peer:
            try Worker.run("peer-worker", ["trace", "malloc"] + rest, environment: competitor.processEnvironment)
        case .floor: try Worker.run("peer-worker", ["trace", "floor"] + rest)
        case .pool: try Worker.run("pool-worker", ["trace", competitor.argument, "buffer"] + rest)
        case .swift: try Worker.run("swift-worker", ["trace", competitor.argument, "buffer"] + rest)
        }
    }
}

extension TraceRun {
    /// Takes in what one process printed.
    mutating func add(_ output: WorkerOutput) {
        let rounds = output.numbers("round")
        guard rounds.allSatisfy({ $0.count == 3 }) else { return }
        roundNanoseconds.add(Sampled(samples: rounds.map { $0[1] }).median)
        roundWallNanoseconds.add(Sampled(samples: rounds.map { $0[0] }).median)
        faults.add(Sampled(samples: rounds.compactMap(\.last)).median)
        if let construction = output.numbers("construction").first, let first = output.numbers("first").first,
            construction.count == 3, first.count == 3
        {
            coldNanoseconds.add(construction[1] + first[1])
            coldWallNanoseconds.add(construction[0] + first[0])
        }
        if let peak = output.number("resident_peak"), let before = output.number("resident_before"),
            output.number("peak_is_reset") == 1
        {
            residentGrowth.add(peak - before)
        }
        cacheHitRate.add(output.number("cache_hit_rate"))
        reuseRate.add(output.number("reuse_rate"))
        allocateLatency.add(output, "allocate")
        freeLatency.add(output, "free")
        pairLatency.add(output, "pair")
        pairMedians?.add(output, "pair_medians")
    }
}

extension Latency {
    mutating func add(_ output: WorkerOutput, _ name: String) {
        p50.add(output.number(name + ".p50"))
        p99.add(output.number(name + ".p99"))
        p999.add(output.number(name + ".p99.9"))
        maximum.add(output.number(name + ".max"))
    }
}

extension Sampled {
    mutating func add(_ value: Double?) {
        if let value { samples.append(value) }
    }
}
