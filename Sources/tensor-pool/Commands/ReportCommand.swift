import AllocationTrace
import ArgumentParser
import Foundation

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes what 'analyze' finds as one page with pictures.",
        discussion: """
            Analyses and replays as 'analyze' does, and observes each pool over one more replay: live, cached and \
            reserved bytes over time, where each tensor lies, and what the adaptive pool decides and why. The page is \
            one file without any network access, in light and dark, for phones and for printing; its figures stand in \
            it as JSON, in the element with the id 'figures' (keys: report, as 'analyze --format json' prints it; pools: pool, \
            curve, map, decisions; and for a trace with times timeline: events, nanoseconds). \
            The page appears when it is complete; - as its name is standard output.

            Exit codes: 0 done; 1 a file cannot be read or written, a peer is not installed, or a replay failed; 64 \
            wrong arguments.

            Examples:
              tensor-pool report profile.json.gz -o report.html
              tensor-pool report trace.csv.gz --seconds 30 --output report.html
              tensor-pool report trace.csv.gz --peers tcmalloc,mimalloc -o peers.html
              zcat log.csv.gz | tensor-pool report - -o - > report.html
            """
    )

    @Argument(help: "The trace.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var file: String

    @Option(name: .shortAndLong, help: "Where the page is written.", completion: .file(extensions: ["html"]))
    var output: String

    @OptionGroup var measurement: WorkloadArguments

    func run() throws {
        let page = OutputFile(path: output, content: "the page")
        try page.check()
        let progress = Progress()
        let read = try measurement.read(file, progress: progress)
        let report = try measurement.report(on: read, progress: progress)
        let sizes = report.analysis.sizes.mostBytes.map(\.byteCount).sorted()
        let pools = try PoolObservation.all(read.trace, asking: sizes, progress: progress)
        progress.finish()
        let figures = ReportPage.Figures(
            report: report, pools: pools, timeline: ReportPage.Timeline(read.trace))
        try page.write(Data(ReportPage(figures: figures).html().utf8))
        StandardError.write("\(FileName.input(file)): \(report.findings.count) findings written to \(page.name)")
    }
}
