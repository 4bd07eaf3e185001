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
        for category in analysis.sizes.categories {
            let name = category.category.rawValue
            rows.append("category", name, "allocations", "\(category.allocations)", "")
            rows.append("category", name, "allocatedBytes", "\(category.allocatedBytes)", "bytes")
            rows.append("category", name, "peakLiveBytes", "\(category.peakLiveBytes)", "bytes")
        }
        for size in analysis.sizes.mostBytes {
            rows.append("size", "\(size.byteCount)", "allocations", "\(size.allocations)", "")
            rows.append("size", "\(size.byteCount)", "peakLiveBlocks", "\(size.peakLiveBlocks)", "")
        }
        for (name, unit, distribution) in distributions {
            for (figure, value) in [
                ("p50", distribution.p50), ("p90", distribution.p90), ("p99", distribution.p99),
                ("maximum", distribution.maximum),
            ] {
                rows.append("distribution", name, figure, "\(value)", unit)
            }
        }
        if let steps = analysis.steps {
            rows.append("step", "", "allocations", "\(steps.allocationsPerStep)", "")
            rows.append("step", "", "events", "\(steps.eventsPerStep)", "")
            rows.append("step", "", "steps", "\(steps.steps)", "")
            rows.append("step", "", "matchShare", "\(steps.matchShare)", "share")
        }
        for crossing in analysis.threads.crossings {
            rows.append("crossing", "\(crossing.allocatedBy)-\(crossing.freedBy)", "frees", "\(crossing.frees)", "")
        }
        for leak in analysis.likelyLeaks {
            rows.append("leak", leak.byteCount.map { "\($0)" } ?? "changing", "bytes", "\(leak.bytes)", "bytes")
        }
        return rows.text
    }
}

/// Rows of comma-separated values.
private struct Rows {
    private(set) var lines = ["section,item,figure,value,unit"]

    mutating func append(_ cells: String...) {
        lines.append(cells.map(CommaSeparatedFigures.quoted).joined(separator: ","))
    }

    var text: String { lines.joined(separator: "\n") }
}
