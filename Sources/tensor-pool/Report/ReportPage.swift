import AllocationTrace
import Foundation
import Mustache

/// One page that needs nothing else: findings as text, figures as JSON, and a script that draws the plots from it.
struct ReportPage {
    /// What stands as JSON in the page.
    struct Figures: Codable, Equatable {
        let report: WorkloadReport
        let pools: [PoolObservation]
        /// Nil, and no key in JSON, where the trace has no times.
        let timeline: Timeline?
    }

    /// When events were: how many had passed at which time, at even distances from none to all of them.
    struct Timeline: Codable, Equatable {
        private static let intervals = 2000

        let events: [Int]
        /// From the first event on.
        let nanoseconds: [Int64]

        init?(_ trace: AllocationTrace) {
            let times = trace.times
            guard let last = times.last, last > 0 else { return nil }
            let intervals = min(Self.intervals, times.count)
            events = (0...intervals).map { times.count * $0 / intervals }
            nanoseconds = events.map { $0 == 0 ? 0 : times[$0 - 1] }
        }
    }

    let figures: Figures

    func html() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Within a script element only `<` could end it; in JSON it stands in strings only, where this means the same.
        let json = String(decoding: try encoder.encode(figures), as: UTF8.self).replacing("<", with: "\\u003c")
        let report = figures.report
        let context: [String: Any] = [
            "file": report.file,
            "machine": report.machine.line,
            "summary": report.summaryLine,
            "findings": report.findings.map { ["kind": $0.kind.rawValue, "text": $0.text] },
            "configuration": try JSONOutput.text(report.suggestion.configuration),
            "turns": report.estimate.turnsText,
            "touch": report.estimate.touchText,
            "style": ReportStyle.text,
            "script": ReportScript.text,
            "json": json,
        ]
        return try MustacheTemplate(string: ReportTemplate.text).render(context)
    }
}
