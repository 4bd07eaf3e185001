/// The workloads of threads: one small plot and one table each.
struct ThreadSection {
    private let results: Results

    init(_ results: Results) {
        self.results = results
    }

    var html: String {
        let counts = results.settings.threadCounts
        let competitors = results.competitors.filter { competitor in
            results.threads.contains { $0.competitor == competitor.name }
        }
        let plots = ThreadSuite.workloads.map { workload in
            let lines = competitors.map { competitor in
                LineChart.Line(
                    label: competitor.name, competitor: competitor, isDashed: !competitor.environment.isEmpty,
                    values: counts.map { wall(workload, $0, competitor) })
            }
            let chart = LineChart(
                steps: counts.map { "\($0)" }, lines: lines, unit: "ns", width: 420, height: 260, labelWidth: 0)
            return "<div><h3>\(workload)</h3>\(chart.svg)</div>"
        }
        let tables = ThreadSuite.workloads.map { workload in
            let rows = competitors.map { competitor in
                "<tr\(competitor.kind == .pool ? " class=\"own\"" : "")><td>\(Markup.escape(competitor.name))</td>"
                    + counts.map { cells(workload, $0, competitor) }.joined() + "</tr>"
            }
            return """
                <h3>\(workload)</h3><div class="scroll"><table><tr><th>ns a pair: wall / processor; MiB</th>\
                \(counts.map { "<th>\($0) threads</th><th>over best</th>" }.joined())</tr>\(rows.joined(separator: "\n"))\
                </table></div>
                """
        }
        return """
            <h2>Threads</h2>
            <p>Wall time over the pairs of all threads, by the number of threads, on blocks of 1 to 128 KiB with the first
            byte written. Independent: a few sizes in turn, nothing shared. Server, like larson: a table's blocks are freed by
            later threads. Producer-consumer, like xmalloc: half the threads allocate, the others free. Churn, like mstress:
            threads trade blocks. Cache-scratch: blocks of 8 bytes, each written 1,000 times. Dashed: set to keep memory.</p>
            <div class="grid2">\(plots.joined(separator: "\n"))</div>
            \(tables.joined(separator: "\n"))
            """
    }

    private func wall(_ workload: String, _ threads: Int, _ competitor: Competitor) -> Double? {
        guard let run = results.thread(workload, threads, competitor.name) else { return nil }
        return run.wallNanoseconds.median.map { $0 / Double(run.operations) }
    }

    private func cells(_ workload: String, _ threads: Int, _ competitor: Competitor) -> String {
        guard let run = results.thread(workload, threads, competitor.name) else { return "<td>-</td><td>-</td>" }
        let pairs = Double(run.operations)
        let figures = [
            Figure.number(run.wallNanoseconds.median.map { $0 / pairs }),
            Figure.number(run.processorNanoseconds.median.map { $0 / pairs }),
        ].joined(separator: " / ")
        let memory = Figure.number(run.residentGrowth.median.map { $0 / 1_048_576 })
        let ratio = results.bestPeer(workload, threads).flatMap { run.ratio(to: $0) }
        return "<td>\(figures); \(memory)</td><td>\(Figure.ratio(ratio))</td>"
    }
}
