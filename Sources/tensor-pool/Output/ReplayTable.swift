import AllocationTrace

extension ReplayOutput {
    /// For people: what was measured, a table of rounds, and what to make of it.
    var text: String {
        let subject = ["Pool     \(pool.name): \(pool.allocator)", "Touch    \(touchLine)"]
        let head = [traceLine] + irregularityLines + subject + constructionLines + ["Machine  \(machine.line)"]
        return (head + ["", roundTable, "", summaryLine] + rateLines + [residentLine]).joined(separator: "\n")
    }

    private var traceLine: String {
        let threads = trace.threadCount == 1 ? "1 thread" : "\(Figures.count(trace.threadCount)) threads"
        return "Trace    \(file): \(Figures.count(trace.eventCount)) events, \(threads), "
            + "peak live \(Figures.mebibytes(trace.peakLiveBytes)) MiB in \(Figures.count(trace.peakLiveBlocks)) blocks"
    }

    private var irregularityLines: [String] {
        irregularities.line.map { ["Odd      " + $0] } ?? []
    }

    private var touchLine: String {
        switch touch {
        case .none: "nothing written: the allocator's work alone"
        case .page: "one byte written in every 4 KiB page"
        case .full: "every byte written"
        }
    }

    private var constructionLines: [String] {
        guard let figures = pool.figures else { return [] }
        return [
            "Made in  \(Figures.duration(nanoseconds: figures.constructionNanoseconds)) and "
                + "\(Figures.mebibytes(figures.constructionResidentBytes)) MiB resident; " + prewarmLine(figures)
        ]
    }

    private func prewarmLine(_ figures: PoolFigures) -> String {
        figures.prewarmResidentBytes == 0
            ? "nothing prewarmed"
            : "prewarmed in \(Figures.duration(nanoseconds: figures.prewarmNanoseconds)) and "
                + "\(Figures.mebibytes(figures.prewarmResidentBytes)) MiB"
    }

    private var rateLines: [String] {
        guard let figures = pool.figures else { return [] }
        return [
            "In them \(Figures.percent(figures.reuseRate)) of the allocations needed no new memory, and the thread's own "
                + "cache served \(Figures.percent(figures.cacheHitRate)). "
                + "The pool now holds \(Figures.mebibytes(figures.reservedBytes)) MiB."
        ]
    }

    private var roundTable: String {
        var table = FigureTable([
            .number("round"), .number("ns/event"), .number("ms"), .number("page faults"), .number("peak resident MiB"),
        ])
        for (index, round) in rounds.enumerated() {
            table.append([
                "\(index + 1)",
                Figures.decimal(Double(round.nanoseconds) / Double(max(1, trace.eventCount))),
                Figures.decimal(Double(round.nanoseconds) / 1e6),
                Figures.count(round.minorPageFaults),
                Figures.mebibytes(round.residentPeakBytes),
            ])
        }
        return table.text
    }

    private var summaryLine: String {
        let which = rounds.count > 1 ? "After the first round" : "In the only round"
        let spread = rounds.count > 2 ? " (spread \(Figures.percent(nanosecondsPerEvent.relativeSpread)))" : ""
        let milliseconds = nanosecondsPerEvent.median * Double(trace.eventCount) / 1e6
        return "\(which): \(Figures.decimal(nanosecondsPerEvent.median)) ns an event\(spread), "
            + "\(Figures.decimal(milliseconds)) ms and \(Figures.count(Int(minorPageFaults.median))) page faults a round."
    }

    private var residentLine: String {
        let growth = Figures.mebibytes(residentGrowthBytes)
        let peak = "Resident memory grew by at most \(growth) MiB"
        let ratio = touch == .none ? "" : ", \(Figures.decimal(residentGrowthOverPeakLive)) times the peak live"
        switch residentPeakSource {
        case .round: return peak + ratio + "."
        case .process: return peak + ratio + " (the system keeps one peak for the whole process)."
        }
    }
}
