/// Text as HTML and SVG.
enum Markup {
    static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// A coordinate, to a tenth.
    static func place(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

    /// The class that gives a competitor its colour: a family has one.
    static func family(of competitor: Competitor) -> String {
        competitor.kind == .swift
            ? "swift" : String(competitor.name.prefix { $0 != " " })
    }

    static func text(_ text: String, x: Double, y: Double, anchor: String = "start", style: String = "") -> String {
        """
        <text x="\(place(x))" y="\(place(y))" text-anchor="\(anchor)"\(style.isEmpty ? "" : " class=\"\(style)\"")>\
        \(escape(text))</text>
        """
    }

    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, style: String) -> String {
        """
        <line x1="\(place(x1))" y1="\(place(y1))" x2="\(place(x2))" y2="\(place(y2))" class="\(style)"/>
        """
    }

    /// Ours a diamond, a peer as it comes a dot, one set to stay warm a ring, the floor a bar.
    static func mark(_ competitor: Competitor, x: Double, y: Double, title: String) -> String {
        let colour = family(of: competitor)
        let shape =
            switch competitor.kind {
            case .pool:
                """
                <path d="M\(place(x)) \(place(y - 6.5))l6.5 6.5l-6.5 6.5l-6.5 -6.5z" class="fill \(colour)"/>
                """
            case .floor:
                """
                <rect x="\(place(x - 1.5))" y="\(place(y - 7))" width="3" height="14" class="fill \(colour)"/>
                """
            case .swift:
                """
                <rect x="\(place(x - 3.5))" y="\(place(y - 3.5))" width="7" height="7" class="fill \(colour)"/>
                """
            case .peer:
                """
                <circle cx="\(place(x))" cy="\(place(y))" r="4" \
                class="\(competitor.environment.isEmpty ? "fill" : "ring") \(colour)"/>
                """
            }
        return "<g><title>\(escape(title))</title>\(shape)</g>"
    }
}
