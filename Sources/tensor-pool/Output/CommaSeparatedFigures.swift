import Foundation

/// Any output as rows of `section,item,figure,value`.
///
/// `figure` is where the value stands in the JSON, from the innermost list inwards; `section` is where that list stands,
/// and `item` the place in it, counted from 1. So the rows of one section and item are one record: a pivot by `figure`
/// makes the table.
struct CommaSeparatedFigures {
    private static let header = ["section", "item", "figure", "value"]

    private var rows: [[String]] = []

    init(_ output: some Encodable) throws {
        let value = try JSONDecoder().decode(JSONFigure.self, from: JSONEncoder().encode(output))
        collect(value, Place())
    }

    var text: String {
        ([Self.header] + rows).map { $0.map(Self.quoted).joined(separator: ",") }.joined(separator: "\n")
    }

    /// A cell as RFC 4180 has it.
    static func quoted(_ cell: String) -> String {
        guard cell.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }

    private struct Place {
        var section: [String] = []
        var item: [Int] = []
        var figure: [String] = []
    }

    private mutating func collect(_ value: JSONFigure, _ place: Place) {
        switch value {
        case .object(let members):
            for key in members.keys.sorted() {
                var inner = place
                inner.figure.append(key)
                collect(members[key] ?? .null, inner)
            }
        case .list(let values):
            for (index, value) in values.enumerated() {
                collect(
                    value, Place(section: place.section + place.figure, item: place.item + [index + 1], figure: []))
            }
        case .scalar(let text):
            var (section, figure) = (place.section, place.figure)
            // Outside every list, the last name is the figure's.
            if place.item.isEmpty {
                section = figure.dropLast()
                figure = figure.suffix(1)
            }
            rows.append([
                section.joined(separator: "."), place.item.map(String.init).joined(separator: "."),
                figure.isEmpty ? "value" : figure.joined(separator: "."), text,
            ])
        case .null: break
        }
    }
}

/// A JSON value, its numbers as they are printed.
private indirect enum JSONFigure: Decodable {
    case object([String: JSONFigure])
    case list([JSONFigure])
    case scalar(String)
    case null

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let truth = try? value.decode(Bool.self) {
            self = .scalar("\(truth)")
        } else if let number = try? value.decode(Int.self) {
            self = .scalar("\(number)")
        } else if let number = try? value.decode(Double.self) {
            self = .scalar("\(number)")
        } else if let text = try? value.decode(String.self) {
            self = .scalar(text)
        } else if let values = try? value.decode([JSONFigure].self) {
            self = .list(values)
        } else {
            self = .object(try value.decode([String: JSONFigure].self))
        }
    }
}
