import Foundation

/// The results as one page that needs nothing else: no script, no network.
struct HTMLReport {
    private let results: Results

    init(_ results: Results) {
        self.results = results
    }

    var text: String {
        var body = [head, targets, legend]
        if !results.traceRuns.isEmpty { body.append(TraceSections(results).html) }
        if !results.pairs.isEmpty { body.append(PairSection(results).html) }
        if !results.threads.isEmpty { body.append(ThreadSection(results).html) }
        body.append(settings)
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>TensorPool: measured</title><style>\(HTMLStyle.text)</style></head><body>
            \(body.joined(separator: "\n"))
            </body></html>

            """
    }

    private var head: String {
        let missing =
            results.missingPeers.isEmpty
            ? ""
            : "<p class=\"misses\">Not installed, so not measured: "
                + Markup.escape(results.missingPeers.joined(separator: ", ")) + "</p>"
        return """
            <h1>TensorPool, measured</h1>
            <p>\(Markup.escape(results.machine.line))</p>
            <p>\(results.settings.repetitions) processes for each figure, allocators in turns; medians of them, spread as \
            the distance between the quartiles over the median. All blocks 64-byte aligned. Of one thread, times are its processor time, so \
            that other processes count as little as can be. Compare within this page only: \
            the same machine may be twice as slow an hour later.</p>\(missing)\(results.warning.map { "<p class=\"misses\">\(Markup.escape($0))</p>" } ?? "")
            """
    }

    private var targets: String {
        let rows = results.targets.map { target in
            let (style, verdict) =
                switch target.holds {
                case true?: ("holds", "holds")
                case false?: ("misses", "misses")
                case nil: ("", "unknown")
                }
            return """
                <tr><td>\(Markup.escape(target.what))</td><td>\(Markup.escape(target.atMost))</td>\
                <td class="\(style)">\(verdict)</td><td>\(Markup.escape(target.measured))</td></tr>
                """
        }
        return """
            <h2>Targets</h2><div class="scroll"><table class="prose"><tr><th>What it must reach</th><th>At most</th><th></th>\
            <th>Measured</th></tr>\(rows.joined(separator: "\n"))</table></div>
            """
    }

    private var legend: String {
        let entries = results.competitors.filter { $0.kind != .swift }.map { competitor in
            """
            <span><svg viewBox="0 0 18 18">\(Markup.mark(competitor, x: 9, y: 9, title: competitor.name))</svg>\
            \(Markup.escape(competitor.name))</span>
            """
        }
        return """
            <h2>Who takes part</h2><p>Diamonds are the pools, each with its default configuration. A dot is a malloc as it \
            comes, a ring the same set to keep what it has. The floor is no allocator: a plan computed with the whole trace \
            known, in one slab that is there already.</p><div class="legend">\(entries.joined(separator: "\n"))</div>
            """
    }

    private var settings: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        // Plain structures of numbers and strings: encoding them cannot fail.
        let settings = (try? encoder.encode(results.settings)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let environments = results.competitors.filter { !$0.environment.isEmpty }.map { competitor in
            competitor.name + ": "
                + competitor.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                    separator: " ")
        }
        return """
            <h2>Settings</h2><pre>\(Markup.escape(environments.joined(separator: "\n")))

            \(Markup.escape(settings))</pre><p>\(Int(results.seconds)) seconds in all.</p>
            """
    }
}
