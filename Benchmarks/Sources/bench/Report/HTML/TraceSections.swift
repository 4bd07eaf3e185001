import AllocationTrace

/// The traces: four plots and the figures.
struct TraceSections {
    private let results: Results

    init(_ results: Results) {
        self.results = results
    }

    var html: String {
        """
        <h2>Traces: allocator work alone</h2>
        <p>Time of a round after the first, nothing written to the blocks, over the best malloc's on that trace.</p>
        \(plot(.none, \.roundNanoseconds))
        <h2>Traces: with the memory touched</h2>
        <p>The same with one byte written in every 4 KiB page of every block. What no allocator can save is in it: the floor.</p>
        \(plot(.page, \.roundNanoseconds))
        <h2>Traces: memory held</h2>
        <p>The most resident memory of the process's life less what was resident before, over the most bytes that the trace
        has live at one time.</p>
        \(DotPlot(rows: rows { trace, competitor in results.peakRatio(trace, competitor.name) }, unit: "of peak live").svg)
        <h2>Traces: the first round</h2>
        <p>Cold: construction, prewarming included, and the first round, touched, over the best malloc's.</p>
        \(plot(.page, \.coldNanoseconds))
        <h2>Traces: the figures</h2>
        \(results.traces.map(table).joined(separator: "\n"))
        """
    }

    private func plot(_ touch: TraceRun.Touch, _ figure: KeyPath<TraceRun, Sampled>) -> String {
        let rows = rows { trace, competitor in ratio(trace, competitor, touch, figure) }
        return DotPlot(rows: rows, unit: "of the best malloc's time").svg
    }

    private func ratio(
        _ trace: PreparedTrace, _ competitor: Competitor, _ touch: TraceRun.Touch, _ figure: KeyPath<TraceRun, Sampled>
    ) -> Double? {
        guard let best = results.bestPeer(trace.name, touch, by: figure) else { return nil }
        return results.run(trace.name, competitor.name, touch)?[keyPath: figure].ratio(to: best[keyPath: figure])
    }

    private func rows(_ value: (PreparedTrace, Competitor) -> Double?) -> [DotPlot.Row] {
        results.traces.map { trace in
            DotPlot.Row(
                label: trace.name,
                values: results.competitors.filter { $0.kind != .swift }.compactMap { competitor in
                    value(trace, competitor).map { (competitor, $0) }
                })
        }
    }

    private func table(_ trace: PreparedTrace) -> String {
        let floor = results.run(trace.name, Competitor.floor.name, .page)
        let rows = results.competitors.compactMap { competitor -> String? in
            guard let none = results.run(trace.name, competitor.name, .none),
                let page = results.run(trace.name, competitor.name, .page)
            else { return nil }
            let pair = none.pairLatency
            let cells = [
                Figure.number(none.roundNanoseconds.median.map { $0 / Double(trace.summary.eventCount) })
                    + spread(none.roundNanoseconds),
                Figure.ratio(ratio(trace, competitor, .none, \.roundNanoseconds)),
                Figure.number(page.roundNanoseconds.median.map { $0 / 1e6 }) + spread(page.roundNanoseconds),
                Figure.ratio(ratio(trace, competitor, .page, \.roundNanoseconds)),
                Figure.ratio(floor.flatMap { page.roundNanoseconds.ratio(to: $0.roundNanoseconds) }),
                Figure.number(page.coldNanoseconds.median.map { $0 / 1e6 }),
                Figure.number(page.faults.median),
                Figure.ratio(results.peakRatio(trace, competitor.name)),
                competitor.kind == .pool ? Figure.percent(none.cacheHitRate.median) : "",
                [pair.p50, pair.p99, pair.p999, pair.maximum].map { Figure.number($0.median) }.joined(separator: " / ")
                    + "; " + Figure.number(none.pairMedians?.p999.median),
            ]
            return "<tr\(competitor.kind == .pool ? " class=\"own\"" : "")><td>\(Markup.escape(competitor.name))</td>"
                + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        let summary = trace.summary
        return """
            <h3>\(Markup.escape(trace.name)): \(summary.eventCount) events, \
            \(Figure.number(Double(summary.peakLiveBytes) / 1_048_576)) MiB live at most, \
            \(Figure.number(Double(trace.planBytes) / 1_048_576)) MiB planned</h3>
            <div class="scroll"><table><tr><th></th><th>untouched<br>ns/event</th><th>over best<br>malloc</th>\
            <th>touched<br>ms</th><th>over best<br>malloc</th><th>over<br>floor</th><th>first<br>ms</th>\
            <th>faults<br>a round</th><th>peak over<br>live</th><th>cache<br>hits</th><th>pair, ns<br>p50 / p99 / p99.9 / max;<br>p99.9 of medians</th></tr>
            \(rows.joined(separator: "\n"))</table></div>
            """
    }

    private func spread(_ figure: Sampled) -> String {
        figure.spread.map { " <small>±\(Figure.percent($0 / 2))</small>" } ?? ""
    }
}
