import Foundation

/// The keys of JSON that a command printed: scripts rely on them.
struct JSONKeys {
    private let value: Any?

    init(_ text: String) throws {
        value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    private init(value: Any?) { self.value = value }

    /// What lies behind a key; of an array, behind the key of its first element.
    subscript(key: String) -> JSONKeys { JSONKeys(value: object[key]) }

    /// The keys here; of an array, those of its first element.
    var names: Set<String> { Set(object.keys) }

    private var object: [String: Any] {
        if let array = value as? [Any] { return array.first as? [String: Any] ?? [:] }
        return value as? [String: Any] ?? [:]
    }

    static let statistics: Set = ["lowerQuartile", "maximum", "median", "minimum", "rounds", "upperQuartile"]
    static let target: Set = ["at", "bound", "direction", "found", "holds", "name", "promise", "unit"]
}
