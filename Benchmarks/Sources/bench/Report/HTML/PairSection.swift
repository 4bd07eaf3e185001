/// The hot pair by size: the plot of some, the figures of all.
struct PairSection {
    private let results: Results

    init(_ results: Results) {
        self.results = results
    }

    var html: String {
        let sizes = results.settings.pairSizes
        let shown = lines.filter { line in
            switch (line.competitor.kind, line.form) {
            case (.peer, .plain): line.competitor.environment.isEmpty
            case (.pool, .buffer): true
            case (.pool, .handle): line.competitor.name == "optimized"
            default: false
            }
        }
        let chart = LineChart(
            steps: sizes.map(Figure.size),
            lines: shown.map {
                LineChart.Line(
                    label: $0.label, competitor: $0.competitor, isDashed: $0.form == .handle,
                    values: $0.runs.map(\.?.nanoseconds.median))
            }, unit: "ns")
        let rows = lines.map { line in
            "<tr\(line.competitor.kind == .pool ? " class=\"own\"" : "")><td>\(Markup.escape(line.label))</td>"
                + line.runs.map { "<td>\(Figure.number($0?.nanoseconds.median))</td>" }.joined() + "</tr>"
        }
        return """
            <h2>Hot pair</h2>
            <p>Nanoseconds for one allocation and its release: one thread, one block at a time, untouched, warm. Mallocs by
            plain malloc and free.</p>
            \(chart.svg)
            <div class="scroll"><table><tr><th>ns a pair</th>\(sizes.map { "<th>\(Figure.size($0))</th>" }.joined())</tr>
            \(rows.joined(separator: "\n"))</table></div>
            """
    }

    private struct Line {
        let competitor: Competitor
        let form: PairRun.Form
        let runs: [PairRun?]

        var label: String {
            switch competitor.kind {
            case .swift: competitor.name
            default: "\(competitor.name), \(form.rawValue)"
            }
        }
    }

    private var lines: [Line] {
        results.competitors.flatMap { competitor in
            [PairRun.Form.aligned, .plain, .buffer, .handle].map { form in
                Line(
                    competitor: competitor, form: form,
                    runs: results.settings.pairSizes.map { results.pair(competitor.name, form, $0) })
            }
        }.filter { $0.runs.contains { $0 != nil } }
    }
}
