import AllocationTrace

/// Latencies in words and figures, in nanoseconds.
enum LatencyTable {
    /// A row for each allocator.
    static func text(_ reports: [(name: String, latencies: LatencyReport)]) -> String {
        var rows = reports.map { ($0.name, $0.latencies.events) }
        rows += reports.map { ("\($0.name): late by", $0.latencies.lateness) }
        return table("ns an event", rows)
    }

    /// A row for allocations, for frees, for both, and where there is a pace for how late they were.
    static func text(_ latencies: LatencyReport) -> String {
        table(
            "ns",
            [
                ("allocation", latencies.allocations), ("free", latencies.frees), ("both", latencies.events),
                ("late by", latencies.lateness),
            ])
    }

    /// What has to be known to read them.
    static func note(clock: Double) -> String {
        "Single events by the clock, what is written to the memory included; reading it costs \(Figures.decimal(clock)) ns, which is taken off."
    }

    private static func table(_ unit: String, _ rows: [(String, LatencyFigures?)]) -> String {
        var table = FigureTable([
            .text(unit), .number("mean"), .number("p50"), .number("p90"), .number("p99"), .number("p99.9"),
            .number("max"), .number("events"),
        ])
        for case (let name, let figures?) in rows {
            table.append(
                [name, Figures.decimal(figures.mean)]
                    + [figures.p50, figures.p90, figures.p99, figures.p999, figures.maximum].map {
                        Figures.count(Int(clamping: $0))
                    } + [Figures.count(figures.count)])
        }
        return table.text
    }
}

extension ReplayMode {
    /// In words.
    var line: String {
        let threads =
            isConcurrent
            ? "one for each recorded; a free waits for its own tensor's allocation, and nothing else waits"
            : "one, in recorded order"
        return threads + (speed.map { "; at \(Figures.decimal($0)) times the recorded pace" } ?? "")
    }
}

extension Touch {
    /// In words.
    var line: String {
        switch self {
        case .none: "nothing written: the allocator's work alone"
        case .page: "one byte written in every 4 KiB page"
        case .full: "every byte written"
        }
    }
}

extension TraceSummary {
    /// The trace in a line.
    func line(of file: String) -> String {
        "Trace    \(FileName.input(file)): \(Figures.count(eventCount)) events, \(Figures.count(threadCount, "thread")), "
            + "peak live \(Figures.mebibytes(peakLiveBytes)) MiB in \(Figures.count(peakLiveBlocks)) blocks"
    }
}
