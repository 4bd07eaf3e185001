import AllocationTrace
import TensorPool

extension WorkloadReport {
    /// For spreadsheets: one figure a row, `section,item,figure,value,unit`, RFC 4180.
    var commaSeparated: String {
        var rows = Rows()
        for (index, finding) in findings.enumerated() {
            rows.append("finding", "\(index + 1)", finding.kind.rawValue, finding.text, "")
        }
        rows.append("suggestion", suggestion.pool.rawValue, "profile", suggestion.profile.rawValue, "")
        if let amounts = suggestion.prewarming {
            for (name, value) in [
                ("verySmall", amounts.verySmall), ("small", amounts.small), ("medium", amounts.medium),
                ("large", amounts.large), ("veryLarge", amounts.veryLarge),
            ] {
                rows.append("suggestion", name, "prewarming", "\(value)", "bytes")
            }
        }
        for subject in estimate.subjects {
            let processor = subject.processorNanosecondsPerEvent
            rows.append("replay", subject.name, "nanosecondsPerEvent", "\(subject.nanosecondsPerEvent.median)", "ns")
            rows.append("replay", subject.name, "processorNanosecondsPerEvent", "\(processor.median)", "ns")
            rows.append("replay", subject.name, "spread", "\(processor.relativeSpread)", "share")
            rows.append("replay", subject.name, "rounds", "\(subject.nanosecondsPerEvent.rounds)", "rounds")
            rows.append("replay", subject.name, "firstRound", "\(subject.firstRound.median)", "ns")
            rows.append(
                "replay", subject.name, "residentGrowthOverPeakLive", "\(subject.residentGrowthOverPeakLive)", "")
        }
        for gain in estimate.gains {
            for (name, value) in [("ratio", gain.ratio), ("lowest", gain.lowest), ("highest", gain.highest)] {
                rows.append("gain", "\(gain.pool)-\(gain.peer)", name, "\(value)", "")
            }
        }
        let summary = analysis.summary
        for (name, value, unit) in [
            ("events", summary.eventCount, ""), ("allocations", summary.allocationCount, ""),
            ("threads", summary.threadCount, ""), ("peakLiveBytes", summary.peakLiveBytes, "bytes"),
            ("peakLiveBlocks", summary.peakLiveBlocks, ""), ("temporaries", analysis.lifetimes.temporaries, ""),
        ] {
            rows.append("trace", "", name, "\(value)", unit)
        }
        rows.append("trace", "", "temporaryShare", "\(analysis.lifetimes.temporaryShare)", "share")
        rows.append("trace", "", "temporaryByteShare", "\(analysis.lifetimes.temporaryByteShare)", "share")
        rows.append("trace", "", "reusableShare", "\(analysis.reuse.reusableShare)", "share")
        appendIrregularities(to: &rows)
        for category in analysis.sizes.categories {
            let name = category.category.rawValue
            rows.append("category", name, "allocations", "\(category.allocations)", "")
            rows.append("category", name, "allocatedBytes", "\(category.allocatedBytes)", "bytes")
            rows.append("category", name, "peakLiveBytes", "\(category.peakLiveBytes)", "bytes")
            rows.append("category", name, "distinctSizes", "\(category.distinctSizes)", "")
            rows.append("category", name, "lifetimeEvents", category.lifetimeEvents, "events")
            rows.append("category", name, "lifetimeNanoseconds", category.lifetimeNanoseconds, "ns")
        }
        for size in analysis.sizes.mostBytes {
            rows.append("size", "\(size.byteCount)", "allocations", "\(size.allocations)", "")
            rows.append("size", "\(size.byteCount)", "peakLiveBlocks", "\(size.peakLiveBlocks)", "")
        }
        for (name, unit, distribution) in distributions {
            rows.append("distribution", name, "", distribution, unit)
        }
        if let steps = analysis.steps {
            rows.append("step", "", "allocations", "\(steps.allocationsPerStep)", "")
            rows.append("step", "", "events", "\(steps.eventsPerStep)", "")
            rows.append("step", "", "steps", "\(steps.steps)", "")
            rows.append("step", "", "matchShare", "\(steps.matchShare)", "share")
            for (index, group) in steps.groups.enumerated() {
                rows.append("lockStep", "\(index + 1)", "timesPerStep", "\(group.timesPerStep)", "")
                rows.append("lockStep", "\(index + 1)", "sizeCount", "\(group.sizeCount)", "")
                for size in group.sizes { rows.append("lockStep", "\(index + 1)", "size", "\(size)", "bytes") }
            }
        }
        for (index, drift) in analysis.drifts.enumerated() {
            for (name, value, unit) in [
                ("firstBytes", drift.firstBytes, "bytes"), ("lastBytes", drift.lastBytes, "bytes"),
                ("stepBytes", drift.stepBytes, "bytes"), ("sizes", drift.sizes, ""),
            ] {
                rows.append("growth", "\(index + 1)", name, "\(value)", unit)
            }
        }
        for thread in analysis.threads.threads {
            rows.append("thread", "\(thread.number)", "id", "\(thread.id)", "")
            if let name = thread.name { rows.append("thread", "\(thread.number)", "name", name, "") }
            rows.append("thread", "\(thread.number)", "allocations", "\(thread.allocations)", "")
            rows.append("thread", "\(thread.number)", "frees", "\(thread.frees)", "")
        }
        for crossing in analysis.threads.crossings {
            rows.append("crossing", "\(crossing.allocatedBy)-\(crossing.freedBy)", "frees", "\(crossing.frees)", "")
        }
        for leak in analysis.likelyLeaks {
            rows.append("leak", leak.byteCount.map { "\($0)" } ?? "changing", "bytes", "\(leak.bytes)", "bytes")
        }
        return rows.text
    }

    private func appendIrregularities(to rows: inout Rows) {
        for (name, count) in analysis.irregularities.counts {
            rows.append("irregularity", "", name, "\(count)", "")
        }
        rows.append("irregularity", "", "isTruncated", "\(analysis.irregularities.isTruncated)", "")
    }
}

/// Rows of comma-separated values.
private struct Rows {
    private(set) var lines = ["section,item,figure,value,unit"]

    mutating func append(_ cells: String...) {
        lines.append(cells.map(CommaSeparatedFigures.quoted).joined(separator: ","))
    }

    /// Quantiles, a row each: `p50`, or `NAME.p50` where they have a name. Nothing where there is no distribution.
    mutating func append(
        _ section: String, _ item: String, _ name: String, _ distribution: Distribution?, _ unit: String
    ) {
        guard let distribution else { return }
        for (figure, value) in [
            ("p50", distribution.p50), ("p90", distribution.p90), ("p99", distribution.p99),
            ("maximum", distribution.maximum),
        ] {
            append(section, item, name.isEmpty ? figure : "\(name).\(figure)", "\(value)", unit)
        }
    }

    var text: String { lines.joined(separator: "\n") }
}
