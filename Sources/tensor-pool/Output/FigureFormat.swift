import ArgumentParser

/// How a command prints its figures.
enum FigureFormat: String, CaseIterable, ExpressibleByArgument {
    case table
    case json
    case csv
}

/// What a command prints, in every format.
protocol FigureOutput: Encodable {
    /// For people.
    var text: String { get }
    /// For spreadsheets: RFC 4180, with a header.
    var commaSeparated: String { get throws }
}

extension FigureOutput {
    /// All figures that JSON has, one a row.
    var commaSeparated: String { get throws { try CommaSeparatedFigures(self).text } }

    /// Prints it, or throws where not all of it could be.
    func print(as format: FigureFormat) throws {
        switch format {
        case .table: try StandardOutput.print(text)
        case .json: try StandardOutput.print(JSONOutput.text(self))
        case .csv: try StandardOutput.print(commaSeparated)
        }
    }
}
