/// Lines over a few labelled steps, on a logarithmic vertical axis.
struct LineChart {
    struct Line {
        let label: String
        let competitor: Competitor
        let isDashed: Bool
        /// One a step; nil where nothing was measured.
        let values: [Double?]
    }

    let steps: [String]
    let lines: [Line]
    let unit: String
    var width = 860.0
    var height = 380.0
    /// Room for the lines' names at the right end; 0 for none.
    var labelWidth = 190.0

    var svg: String {
        let (left, top, bottom) = (46.0, 10.0, height - 26)
        let right = width - labelWidth - 14
        let scale = LogScale(lines.flatMap { $0.values.compactMap { $0 } }, start: bottom, end: top)
        let stepWidth = steps.count > 1 ? (right - left - 20) / Double(steps.count - 1) : 0
        func x(_ step: Int) -> Double { left + 10 + stepWidth * Double(step) }

        var parts = ["<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\">"]
        for tick in scale.ticks {
            parts.append(Markup.line(left, scale.place(tick), right, scale.place(tick), style: "grid"))
            parts.append(
                Markup.text(Figure.tick(tick), x: left - 6, y: scale.place(tick) + 4, anchor: "end", style: "tick"))
        }
        let every = max(1, steps.count / 9)
        for (index, step) in steps.enumerated() where index % every == 0 {
            parts.append(Markup.text(step, x: x(index), y: bottom + 18, anchor: "middle", style: "tick"))
        }
        for line in lines {
            let colour = Markup.family(of: line.competitor)
            let points = line.values.enumerated().compactMap { step, value in
                value.map { "\(Markup.place(x(step))),\(Markup.place(scale.place($0)))" }
            }
            parts.append(
                """
                <polyline points="\(points.joined(separator: " "))" class="line \(colour)\
                \(line.isDashed ? " dashed" : "")\(line.competitor.kind == .pool ? " own" : "")"/>
                """)
            for (step, value) in line.values.enumerated() {
                guard let value else { continue }
                let title = "\(line.label), \(steps[step]): \(Figure.number(value)) \(unit)"
                parts.append(
                    """
                    <g><title>\(Markup.escape(title))</title><circle cx="\(Markup.place(x(step)))" \
                    cy="\(Markup.place(scale.place(value)))" r="2.6" class="fill \(colour)"/></g>
                    """)
            }
        }
        if labelWidth > 0 { parts += labels(scale, at: right + 8) }
        return (parts + ["</svg>"]).joined(separator: "\n")
    }

    /// The names beside the lines' ends, pushed apart where they would overlap.
    private func labels(_ scale: LogScale, at x: Double) -> [String] {
        let ends = lines.compactMap { line in
            line.values.last.flatMap { $0 }.map { (line: line, y: scale.place($0)) }
        }.sorted { $0.y < $1.y }
        var last = -100.0
        var placed: [(line: Line, y: Double)] = []
        for end in ends {
            last = max(end.y, last + 15)
            placed.append((end.line, last))
        }
        // Back up from the bottom edge.
        var limit = height - 12
        for index in placed.indices.reversed() {
            placed[index].y = min(placed[index].y, limit)
            limit = placed[index].y - 15
        }
        return placed.map {
            Markup.text($0.line.label, x: x, y: $0.y + 4, style: "name ink \(Markup.family(of: $0.line.competitor))")
        }
    }
}
