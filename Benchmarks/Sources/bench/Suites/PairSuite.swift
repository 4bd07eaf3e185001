/// The hot pair by size: one thread, one block at a time, untouched, warm.
struct PairSuite {
    let settings: Settings
    let competitors: [Competitor]

    func run(_ progress: Progress) throws -> [PairRun] {
        let combinations = competitors.flatMap { competitor in
            Self.forms(of: competitor.kind).map { (competitor: competitor, form: $0) }
        }
        var runs: [PairRun] = []
        for repetition in 0..<settings.repetitions {
            for (competitor, form) in combinations {
                progress.show("pairs \(repetition + 1)/\(settings.repetitions): \(competitor.name), \(form.rawValue)")
                let output = try measure(competitor, form)
                for byteCount in settings.pairSizes {
                    let chunks = output.numbers("pair").filter { $0.first == Double(byteCount) }.compactMap(\.last)
                    let index = runs.firstIndex {
                        $0.competitor == competitor.name && $0.form == form && $0.byteCount == byteCount
                    }
                    if index == nil {
                        runs.append(PairRun(competitor: competitor.name, form: form, byteCount: byteCount))
                    }
                    runs[index ?? runs.count - 1].nanoseconds.add(Sampled(samples: chunks).median)
                }
            }
        }
        return runs
    }

    private static func forms(of kind: Competitor.Kind) -> [PairRun.Form] {
        switch kind {
        case .peer: [.aligned, .plain]
        case .pool: [.buffer, .handle]
        case .swift: [.aligned]
        case .floor: []
        }
    }

    private func measure(_ competitor: Competitor, _ form: PairRun.Form) throws -> WorkerOutput {
        let rest = ["\(settings.pairBudgetMilliseconds)"] + settings.pairSizes.map { "\($0)" }
        return switch competitor.kind {
        case .peer, .floor:
            try Worker.run("peer-worker", ["pair", form.rawValue] + rest, environment: competitor.processEnvironment)
        case .pool: try Worker.run("pool-worker", ["pair", competitor.argument, form.rawValue] + rest)
        case .swift: try Worker.run("swift-worker", ["pair", competitor.argument] + rest)
        }
    }
}
