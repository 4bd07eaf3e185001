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

    /// Prints it.
    func print(as format: FigureFormat) throws {
        switch format {
        case .table: Swift.print(text)
        case .json: Swift.print(try JSONOutput.text(self))
        case .csv: Swift.print(try commaSeparated)
        }
    }
}
