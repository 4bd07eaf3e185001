/// Reads the settings of one configuration, strictly: an unknown key is an error that lists the known ones, a missing
/// one leaves the default.
struct SettingsReader<Key: CodingKey & CaseIterable & RawRepresentable<String>> {
    private let container: KeyedDecodingContainer<Key>
    private let path: String

    init(_ decoder: any Decoder) throws {
        let prefix = decoder.codingPath.map { $0.stringValue + "." }.joined()
        path = prefix
        let known = Key.allCases.map(\.rawValue)
        do {
            let all = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
            if let unknown = all.sorted().first(where: { !known.contains($0) }) {
                throw TensorPoolError.invalidConfiguration(
                    setting: prefix + unknown, value: "given",
                    reason: "there is no such setting; known are \(known.sorted().joined(separator: ", "))")
            }
            container = try decoder.container(keyedBy: Key.self)
        } catch is DecodingError {
            let name = decoder.codingPath.map(\.stringValue).joined(separator: ".")
            throw TensorPoolError.invalidConfiguration(
                setting: name.isEmpty ? "configuration" : name, value: "something else",
                reason: "it is an object of settings: \(known.sorted().joined(separator: ", "))")
        }
    }

    /// Sets `value` where the key is there.
    func read<Value: Decodable>(_ key: Key, _ value: inout Value) throws {
        guard container.contains(key) else { return }
        value = try decode(key, Value.self)
    }

    /// The value of a key; nil where it is not there or null.
    func optional<Value: Decodable>(_ key: Key, _: Value.Type) throws -> Value? {
        guard container.contains(key), try !container.decodeNil(forKey: key) else { return nil }
        return try decode(key, Value.self)
    }

    /// Sets a duration from a number of nanoseconds; null is nil.
    func readNanoseconds(_ key: Key, _ value: inout Duration?) throws {
        guard container.contains(key) else { return }
        value = try optional(key, Int64.self).map { .nanoseconds($0) }
    }

    private func decode<Value: Decodable>(_ key: Key, _: Value.Type) throws -> Value {
        do {
            return try container.decode(Value.self, forKey: key)
        } catch is DecodingError {
            throw TensorPoolError.invalidConfiguration(
                setting: path + key.stringValue, value: "something else", reason: "it is \(Self.form(of: Value.self))")
        }
    }

    private static func form<Value>(of _: Value.Type) -> String {
        if let choices = Value.self as? any CaseIterable.Type { return "one of \(names(choices))" }
        switch Value.self {
        case is Bool.Type: return "true or false"
        case is Int.Type, is Int64.Type: return "a whole number that fits 64 bits"
        case is Double.Type: return "a number"
        default: return "an object of settings"
        }
    }

    private static func names<Choices: CaseIterable>(_: Choices.Type) -> String {
        Choices.allCases.map { "\($0)" }.joined(separator: ", ")
    }
}

/// Any key at all.
private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Duration {
    /// Whole nanoseconds; `Int64.max` where they do not fit.
    var nanosecondsForSettings: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || sumOverflow ? .max : sum
    }
}
