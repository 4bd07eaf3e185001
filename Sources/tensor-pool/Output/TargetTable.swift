extension TargetCheck {
    /// A table of checks, one a line.
    static func table(_ checks: [TargetCheck]) -> String {
        var table = FigureTable([
            .text("promise"), .number("found"), .number("wanted"), .text("at"), .text("holds"),
        ])
        for check in checks {
            table.append([
                check.promise, check.foundText, check.wantedText, check.at, check.holds ? "yes" : "NO",
            ])
        }
        return table.text
    }

    var foundText: String { text(found) }

    var wantedText: String {
        let words =
            switch direction {
            case .atMost: "at most"
            case .below: "below"
            case .atLeast: "at least"
            case .above: "above"
            }
        return "\(words) \(text(bound))"
    }

    private func text(_ value: Double) -> String {
        switch unit {
        case "ns": Figures.duration(nanoseconds: value)
        case "bytes": "\(Figures.mebibytes(Int(value))) MiB"
        case "times": "\(Figures.decimal(value)) x"
        default: Figures.percent(value)
        }
    }
}
