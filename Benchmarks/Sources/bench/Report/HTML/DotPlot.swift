/// One row a trace, one mark an allocator, on a logarithmic axis of ratios.
struct DotPlot {
    struct Row {
        let label: String
        let values: [(competitor: Competitor, value: Double)]
    }

    let rows: [Row]
    /// What a mark says after its number.
    let unit: String

    var svg: String {
        let (width, left, rowHeight, top) = (860.0, 150.0, 40.0, 8.0)
        let bottom = top + rowHeight * Double(rows.count)
        let scale = LogScale(rows.flatMap { $0.values.map(\.value) } + [1], start: left + 10, end: width - 20)
        var parts = [
            "<svg viewBox=\"0 0 \(Int(width)) \(Int(bottom + 26))\" role=\"img\">"
        ]
        for tick in scale.ticks {
            let x = scale.place(tick)
            parts.append(Markup.line(x, top, x, bottom, style: tick == 1 ? "one" : "grid"))
            parts.append(Markup.text("\(Figure.tick(tick))×", x: x, y: bottom + 17, anchor: "middle", style: "tick"))
        }
        for (index, row) in rows.enumerated() {
            let middle = top + rowHeight * (Double(index) + 0.5)
            parts.append(Markup.text(row.label, x: left, y: middle + 4, anchor: "end", style: "name"))
            if index > 0 {
                let y = middle - rowHeight / 2
                parts.append(Markup.line(left + 10, y, width, y, style: "grid"))
            }
            // Ours above the middle, the others below, so that neither hides the other.
            for (competitor, value) in row.values {
                let y = competitor.kind == .pool ? middle - 8 : middle + 9
                let title = "\(competitor.name), \(row.label): \(Figure.ratio(value)) \(unit)"
                parts.append(Markup.mark(competitor, x: scale.place(value), y: y, title: title))
            }
        }
        return (parts + ["</svg>"]).joined(separator: "\n")
    }
}
