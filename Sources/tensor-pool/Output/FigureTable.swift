import TextTable

/// A table for the terminal: headings over columns, numbers to the right, text to the left.
struct FigureTable {
    struct Heading {
        let title: String
        let alignment: Alignment

        static func text(_ title: String) -> Heading { Heading(title: title, alignment: .left) }
        static func number(_ title: String) -> Heading { Heading(title: title, alignment: .right) }
    }

    let headings: [Heading]
    private(set) var rows: [[String]] = []

    init(_ headings: [Heading]) {
        self.headings = headings
    }

    /// - Precondition: as many cells as there are headings.
    mutating func append(_ cells: [String]) {
        precondition(cells.count == headings.count, "a row has one cell under each heading")
        rows.append(cells)
    }

    /// The lines, without a trailing line break. Empty where there is no row.
    var text: String {
        let table = TextTable<[String]> { row in
            zip(headings, row).map { Column(title: $0.title, value: $1, align: $0.alignment) }
        }
        return table.string(for: rows, style: TwoSpaces.self)?.split(separator: "\n").joined(separator: "\n") ?? ""
    }
}

/// The library's simple style with two spaces between columns, and none at the end of a line.
private enum TwoSpaces: TextTableStyle {
    static func prepare(_ text: String, for column: Column) -> String { Simple.prepare(text, for: column) }
    static func escape(_ text: String) -> String { text }
    static func begin(_ table: inout String, index: Int, columns: [Column]) {}
    static func end(_ table: inout String, index: Int, columns: [Column]) {}

    static func header(_ table: inout String, index: Int, columns: [Column]) {
        append(columns.map { $0.headerString(for: self) }, to: &table)
        append(columns.map { $0.repeated("-") }, to: &table)
    }

    static func row(_ table: inout String, index: Int, columns: [Column]) {
        append(columns.map { $0.string(for: self) }, to: &table)
    }

    private static func append(_ cells: [String], to table: inout String) {
        let line = cells.joined(separator: "  ")
        table += line.prefix(upTo: line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex) + "\n"
    }
}
