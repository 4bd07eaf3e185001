import AllocationTrace
import Foundation
import Mustache

/// One page that needs nothing else: findings as text, figures as JSON, and a script that draws the plots from it.
struct ReportPage {
    /// What stands as JSON in the page.
    struct Figures: Codable, Equatable {
        let report: WorkloadReport
        let pools: [PoolObservation]
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
