import AllocationTrace

/// What the figures of the main job mean for a reader, in words. Every figure in it is this run's.
struct MainJobSummary {
    let gap: GapOutput
    let replays: [ReplayOutput]

    var sentences: [String] {
        [hotPairs, workload, pageFaults, memory, choice, crossover, promises].compactMap(\.self)
    }

    private func replay(_ pool: PoolChoice) -> ReplayOutput? { replays.first { $0.pool.name == pool.rawValue } }

    private var hotPairs: String? {
        let sizes = gap.verdicts.filter { $0.touch == .none }.map(\.byteCount)
        let own = sizes.compactMap { gap.median(.adaptive, $0, .none) }
        let jemalloc = sizes.compactMap { gap.median(.jemalloc, $0, .none) }
        let system = sizes.compactMap { gap.median(.system, $0, .none) }
        guard let low = own.min(), let high = own.max(), let jemallocLow = jemalloc.min(),
            let jemallocHigh = jemalloc.max(), let systemLow = system.min(), let systemHigh = system.max()
        else { return nil }
        return "Allocating and freeing a tensor of a size that was used before takes \(range(low, high)) in the "
            + "adaptive pool, from \(Figures.size(sizes.min() ?? 0)) to \(Figures.size(sizes.max() ?? 0)); "
            + "\(range(jemallocLow, jemallocHigh)) in jemalloc and \(range(systemLow, systemHigh)) in the system's malloc."
    }

    private var workload: String? {
        guard let own = replay(.adaptive), let jemalloc = replay(.jemalloc), let system = replay(.system) else {
            return nil
        }
        let milliseconds = Figures.decimal(own.roundMilliseconds)
        return "The recorded workload, every page touched, takes \(milliseconds) ms a round in the adaptive pool: "
            + "jemalloc as it comes takes "
            + "\(times(jemalloc.roundMilliseconds / own.roundMilliseconds)) that, the system's malloc "
            + "\(times(system.roundMilliseconds / own.roundMilliseconds))."
    }

    private var pageFaults: String? {
        guard let own = replay(.adaptive), let jemalloc = replay(.jemalloc), let system = replay(.system) else {
            return nil
        }
        func count(_ replay: ReplayOutput) -> String { Figures.count(Int(replay.minorPageFaults.median)) }
        let reason = own.minorPageFaults.median < 1 ? ", since it needs no memory of the system any more" : ""
        return "After its first round the adaptive pool meets \(count(own)) page faults a round\(reason); jemalloc "
            + "meets \(count(jemalloc)) and the system's malloc \(count(system))."
    }

    private var memory: String? {
        guard let own = replay(.adaptive), let standard = replay(.standard), let jemalloc = replay(.jemalloc),
            let system = replay(.system)
        else { return nil }
        func ratio(_ replay: ReplayOutput) -> String { Figures.decimal(replay.residentGrowthOverPeakLive) }
        return "For each byte that the workload has alive at its peak, \(ratio(own)) bytes become resident in the "
            + "adaptive pool, \(ratio(standard)) in the standard pool, \(ratio(jemalloc)) in jemalloc and "
            + "\(ratio(system)) in the system's malloc."
    }

    private var choice: String? {
        let standard = gap.choices.filter { $0.strategy == "standard" }.map(\.byteCount)
        let optimized = gap.choices.filter { $0.strategy == "optimized" }.map(\.byteCount)
        guard let last = standard.max(), let first = optimized.min(), last < first else { return nil }
        return "The adaptive pool keeps little of tensors up to \(Figures.size(last)) (the standard strategy), and "
            + "keeps those from \(Figures.size(first)) ready (the optimized one)."
    }

    private var crossover: String? {
        gap.crossovers.first { $0.touch == .page }.map(gap.sentence)
    }

    private var promises: String {
        let missed = gap.targets.filter { !$0.holds }
        guard !missed.isEmpty else { return "All \(gap.targets.count) promises that were checked hold in this run." }
        let list = missed.map { "\($0.promise), \($0.foundText) at \($0.at) where \($0.wantedText) is wanted" }
        return "Of \(gap.targets.count) promises \(gap.targets.count - missed.count) hold in this run. Not met: "
            + list.joined(separator: "; ")
            + ". Other work on the machine can do that to figures of a few nanoseconds: run it again when it is quiet."
    }

    private func range(_ low: Double, _ high: Double) -> String {
        "\(Figures.duration(nanoseconds: low)) to \(Figures.duration(nanoseconds: high))"
    }

    private func times(_ ratio: Double) -> String { "\(Figures.decimal(ratio)) times" }
}
