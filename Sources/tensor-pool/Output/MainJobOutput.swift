import AllocationTrace

/// What `tensor-pool main-job --format json` prints. The keys are stable: later versions add keys and keep these.
struct MainJobOutput: Codable, Equatable, FigureOutput {
    let gap: GapOutput
    /// On the adaptive, the standard pool, jemalloc, and the system's malloc, in this order.
    let replays: [ReplayOutput]
    /// What it means, a sentence each.
    let summary: [String]

    static let pools: [PoolChoice] = [.adaptive, .standard, .jemalloc, .system]

    init(gap: GapOutput, replays: [ReplayOutput]) {
        self.gap = gap
        self.replays = replays
        summary = MainJobSummary(gap: gap, replays: replays).sentences
    }

    /// For people: both measurements, and the summary.
    var text: String {
        ([gap.text, "", replayHeading, replayTable, "", "What it means"]
            + summary.map { "- " + $0 }).joined(separator: "\n")
    }

    private var replayHeading: String {
        guard let first = replays.first else { return "" }
        return "Replay of \(first.file): \(Figures.count(first.trace.eventCount)) events, peak live "
            + "\(Figures.mebibytes(first.trace.peakLiveBytes)) MiB, one byte written in every 4 KiB page;\n"
            + "each allocator in a process of its own; the first round, then the median of the "
            + "\(first.settledRounds.count) that come last"
    }

    private var replayTable: String {
        var table = FigureTable([
            .text("allocator"), .number("first ms"), .number("ms"), .number("spread"), .number("ns/event"),
            .number("page faults"), .number("resident growth MiB"), .number("over peak live"), .number("reuse"),
            .number("cache"),
        ])
        for replay in replays {
            let figures = replay.pool.figures
            table.append([
                replay.pool.name, Figures.decimal(Double(replay.rounds.first?.nanoseconds ?? 0) / 1e6),
                Figures.decimal(replay.roundMilliseconds), Figures.percent(replay.nanosecondsPerEvent.relativeSpread),
                Figures.decimal(replay.nanosecondsPerEvent.median),
                Figures.count(Int(replay.minorPageFaults.median)), Figures.mebibytes(replay.residentGrowthBytes),
                Figures.decimal(replay.residentGrowthOverPeakLive),
                figures.map { Figures.percent($0.reuseRate) } ?? "",
                figures.map { Figures.percent($0.cacheHitRate) } ?? "",
            ])
        }
        return table.text
    }
}

extension ReplayOutput {
    /// The median of the later half of the rounds.
    var roundMilliseconds: Double { nanosecondsPerEvent.median * Double(trace.eventCount) / 1e6 }
}
