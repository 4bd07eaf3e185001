import Foundation

/// Numbers as people read them.
enum Figure {
    /// Three digits.
    static func number(_ value: Double?) -> String {
        guard let value else { return "-" }
        return switch abs(value) {
        case 0: "0"
        case ..<0.1: String(format: "%.3f", value)
        case ..<10: String(format: "%.2f", value)
        case ..<100: String(format: "%.1f", value)
        default: String(format: "%.0f", value)
        }
    }

    /// A round number without zeros at its end, as at an axis.
    static func tick(_ value: Double) -> String { String(format: "%g", value) }

    static func ratio(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) + "x" } ?? "-" }

    static func percent(_ value: Double?) -> String { value.map { String(format: "%.1f %%", $0 * 100) } ?? "-" }

    static func size(_ byteCount: Int) -> String {
        switch byteCount {
        case ..<(1 << 10): "\(byteCount) B"
        case ..<(1 << 20): "\(byteCount >> 10) KiB"
        default: "\(byteCount >> 20) MiB"
        }
    }
}
