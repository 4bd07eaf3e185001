import Foundation

/// Numbers as people read them. The same on every machine: no locale.
enum Figures {
    private static let locale = Locale(identifier: "en_US")

    /// `11,917`
    static func count(_ value: Int) -> String {
        value.formatted(.number.locale(locale).grouping(.automatic))
    }

    /// A count with its noun, which takes an s: `1 thread`, `11,917 events`.
    static func count(_ value: Int, _ noun: String) -> String {
        "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// A count with a noun of an irregular plural: `3 processes`.
    static func count(_ value: Int, _ noun: String, _ plural: String) -> String {
        "\(count(value)) \(value == 1 ? noun : plural)"
    }

    /// With three digits that mean something, and thousands apart: `4.21`, `36.5`, `1,992`.
    static func decimal(_ value: Double) -> String {
        let digits = value.magnitude < 10 ? 2 : value.magnitude < 100 ? 1 : 0
        return value.formatted(.number.locale(locale).grouping(.automatic).precision(.fractionLength(digits)))
    }

    /// `311.6`, in MiB.
    static func mebibytes(_ bytes: Int) -> String {
        let value = Double(bytes) / Double(1 << 20)
        return value.formatted(.number.locale(locale).grouping(.automatic).precision(.fractionLength(1)))
    }

    /// Nanoseconds in the unit that suits them: `4.21 ns`, `36.5 us`, `1,992 ms`.
    static func duration(nanoseconds: Double) -> String {
        if nanoseconds < 1e3 { return decimal(nanoseconds) + " ns" }
        if nanoseconds < 1e6 { return decimal(nanoseconds / 1e3) + " us" }
        return decimal(nanoseconds / 1e6) + " ms"
    }

    /// `4 %`
    static func percent(_ share: Double) -> String {
        decimal(share * 100) + " %"
    }

    /// A size in the largest unit that leaves it whole: `64 KiB`, `1 MiB`, `100 B`.
    static func size(_ bytes: Int) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >= 1 << shift {
            if bytes % (1 << shift) == 0 { return "\(count(bytes >> shift)) \(unit)" }
        }
        return "\(count(bytes)) B"
    }
}
