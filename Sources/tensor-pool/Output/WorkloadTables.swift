import AllocationTrace

extension WorkloadReport {
    /// For people: the findings, then the figures they rest on.
    var text: String {
        let head = [
            "Trace    \(FileName.input(file)) (\(format)): \(summaryLine)",
            "Machine  \(machine.line)", "", "Findings",
        ]
        let lines = findings.enumerated().map { "\($0 + 1). \($1.text)" }
        let sections =
            [
                ("Cost an event by replay, \(estimate.turnsText) (touch: \(estimate.touchText))", estimateTable),
                ("Gains in processor time", estimate.gains.table),
                ("Categories", categoryTable), ("Sizes by bytes asked for", sizeTable),
                ("Lifetimes and reuse", distributionTable), ("Sizes in lock-step", lockStepTable),
                ("Sizes that grow", driftTable), ("Threads", threadTable),
                ("Freed by another thread", crossingTable), ("Likely leaks", leakTable),
            ].filter { !$0.1.isEmpty }.flatMap { ["", $0.0, $0.1] }
        return (head + lines + sections).joined(separator: "\n")
    }

    /// Events, threads and peaks.
    var summaryLine: String {
        let summary = analysis.summary
        return "\(Figures.count(summary.eventCount, "event")), \(Figures.count(summary.threadCount, "thread")), "
            + "peak live \(Figures.mebibytes(summary.peakLiveBytes)) MiB in "
            + Figures.count(summary.peakLiveBlocks, "block")
    }

    private var estimateTable: String {
        var table = FigureTable([
            .text("allocator"), .number("processor ns/event"), .number("spread"), .number("events"), .number("rounds"),
            .number("ns by the clock"), .number("first round"),
            .number("page faults"), .number("resident/peak live"), .number("made in ms"),
        ])
        for subject in estimate.subjects {
            table.append([
                subject.name == ReplayEstimate.suggested ? "suggested (\(suggestion.pool.rawValue))" : subject.name,
                Figures.decimal(subject.processorNanosecondsPerEvent.median),
                Figures.percent(subject.processorNanosecondsPerEvent.relativeSpread),
                Figures.count(subject.eventsPerRound), Figures.count(subject.processorNanosecondsPerEvent.rounds),
                Figures.decimal(subject.nanosecondsPerEvent.median), Figures.decimal(subject.firstRound.median),
                Figures.count(Int(subject.minorPageFaults.median)),
                estimate.touch == .none ? "" : Figures.decimal(subject.residentGrowthOverPeakLive),
                subject.constructionMilliseconds.map(Figures.decimal) ?? "",
            ])
        }
        return table.text
    }

    private var categoryTable: String {
        var table = FigureTable([
            .text("category"), .number("allocations"), .number("MiB asked for"), .number("peak live MiB"),
            .number("sizes"), .number("lifetime p50"), .number("p90"), .number("p99 events"),
        ])
        for category in analysis.sizes.categories {
            let lifetime = category.lifetimeEvents
            table.append([
                category.category.rawValue, Figures.count(category.allocations),
                Figures.mebibytes(category.allocatedBytes), Figures.mebibytes(category.peakLiveBytes),
                Figures.count(category.distinctSizes), count(lifetime?.p50), count(lifetime?.p90), count(lifetime?.p99),
            ])
        }
        return table.text
    }

    private var sizeTable: String {
        var table = FigureTable([.number("size"), .number("allocations"), .number("peak live blocks")])
        for size in analysis.sizes.mostBytes {
            table.append([
                Figures.size(size.byteCount), Figures.count(size.allocations), Figures.count(size.peakLiveBlocks),
            ])
        }
        return table.text
    }

    private var distributionTable: String {
        var table = FigureTable([
            .text("what"), .text("unit"), .number("count"), .number("least"), .number("p50"), .number("p90"),
            .number("p99"), .number("most"),
        ])
        for (name, unit, distribution) in distributions {
            table.append([
                name, unit, Figures.count(distribution.count), count(distribution.minimum), count(distribution.p50),
                count(distribution.p90), count(distribution.p99), count(distribution.maximum),
            ])
        }
        return table.text
    }

    var distributions: [(String, String, Distribution)] {
        [
            ("lifetime", "events", analysis.lifetimes.events), ("lifetime", "ns", analysis.lifetimes.nanoseconds),
            ("reuse distance", "events", analysis.reuse.distanceEvents),
        ].compactMap { name, unit, distribution in distribution.map { (name, unit, $0) } }
    }

    private var lockStepTable: String {
        var table = FigureTable([.number("times a step"), .number("sizes"), .text("which")])
        for group in (analysis.steps?.groups ?? []).prefix(8) {
            let more = group.sizeCount > 6 ? ", ..." : ""
            table.append([
                Figures.count(group.timesPerStep), Figures.count(group.sizeCount),
                group.sizes.prefix(6).map(Figures.size).joined(separator: ", ") + more,
            ])
        }
        return table.text
    }

    private var driftTable: String {
        var table = FigureTable([.number("from"), .number("to"), .number("by"), .number("sizes")])
        for drift in analysis.drifts {
            table.append([
                Figures.size(drift.firstBytes), Figures.size(drift.lastBytes), Figures.size(drift.stepBytes),
                Figures.count(drift.sizes),
            ])
        }
        return table.text
    }

    private var threadTable: String {
        guard analysis.threads.threads.count > 1 else { return "" }
        var table = FigureTable([
            .number("thread"), .number("id"), .text("name"), .number("allocations"), .number("frees"),
        ])
        for thread in analysis.threads.threads.prefix(16) {
            table.append([
                "\(thread.number)", "\(thread.id)", thread.name ?? "", Figures.count(thread.allocations),
                Figures.count(thread.frees),
            ])
        }
        return table.text
    }

    private var crossingTable: String {
        var table = FigureTable([
            .number("allocated by"), .number("freed by"), .number("frees"), .number("MiB"),
        ])
        for crossing in analysis.threads.crossings.prefix(16) {
            table.append([
                "\(crossing.allocatedBy)", "\(crossing.freedBy)", Figures.count(crossing.frees),
                Figures.mebibytes(crossing.bytes),
            ])
        }
        return table.text
    }

    private var leakTable: String {
        var table = FigureTable([
            .number("size"), .number("blocks"), .number("MiB"), .number("stretches"), .number("of"),
        ])
        for leak in analysis.likelyLeaks.prefix(8) {
            table.append([
                leak.byteCount.map(Figures.size) ?? "changing", Figures.count(leak.blocks),
                Figures.mebibytes(leak.bytes), Figures.count(leak.stretches), Figures.count(leak.stretchesSeen),
            ])
        }
        return table.text
    }

    private func count(_ value: UInt64?) -> String { value.map { Figures.count(Int($0)) } ?? "none" }
}
