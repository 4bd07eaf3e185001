import AllocationTrace

extension ReplayOutput {
    /// For people: what was measured, a table of rounds, and what to make of it.
    var text: String {
        let subject = [
            "Pool     \(pool.name): \(pool.allocator)", "Touch    \(touch.line)", "Threads  \(mode.line)",
        ]
        let head =
            [trace.line(of: file)] + irregularityLines + subject + constructionLines + ["Machine  \(machine.line)"]
        return (head + ["", roundTable, "", summaryLine] + rateLines + [residentLine] + latencyLines)
            .joined(separator: "\n")
    }

    private var latencyLines: [String] {
        guard let latencies else { return [] }
        return ["", LatencyTable.text(latencies), LatencyTable.note(clock: Double(latencies.clockNanoseconds))]
    }

    private var irregularityLines: [String] {
        irregularities.line.map { ["Odd      " + $0] } ?? []
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
            .number("round"), .number("ns/event"), .number("ms"), .number("processor ms"), .number("page faults"),
            .number("peak resident MiB"),
        ])
        for (index, round) in rounds.enumerated() {
            table.append([
                "\(index + 1)",
                Figures.decimal(Double(round.busyNanoseconds ?? round.nanoseconds) / Double(max(1, trace.eventCount))),
                Figures.decimal(Double(round.nanoseconds) / 1e6),
                Figures.decimal(Double(round.processorNanoseconds) / 1e6),
                Figures.count(round.minorPageFaults),
                Figures.mebibytes(round.residentPeakBytes),
            ])
        }
        return table.text
    }

    private var summaryLine: String {
        let which =
            rounds.count > 1
            ? "In the later half of the rounds: " : "In the only round: "
        let spread = rounds.count > 3 ? " (spread \(Figures.percent(nanosecondsPerEvent.relativeSpread)))" : ""
        let waiting = mode.speed == nil ? "" : " without waiting"
        let processor =
            mode.speed == nil ? ", \(Figures.decimal(processorNanosecondsPerEvent.median)) ns of processor time" : ""
        let milliseconds = nanosecondsPerEvent.median * Double(trace.eventCount) / 1e6
        return "\(which)\(Figures.decimal(nanosecondsPerEvent.median)) ns an event\(waiting)\(spread)\(processor); "
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
