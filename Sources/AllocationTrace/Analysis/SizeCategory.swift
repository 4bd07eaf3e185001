/// The five size categories of tensors, by requested bytes: those of the pools, for tools that do not link them.
public enum SizeCategory: String, Sendable, CaseIterable, Codable {
    /// Up to 4 KiB.
    case verySmall = "VerySmall"
    /// Over 4 KiB, up to 64 KiB.
    case small = "Small"
    /// Over 64 KiB, up to 1 MiB.
    case medium = "Medium"
    /// Over 1 MiB, up to 16 MiB.
    case large = "Large"
    /// Over 16 MiB.
    case veryLarge = "VeryLarge"

    /// The category of a block of `byteCount` bytes.
    public init(byteCount: Int) {
        self =
            switch byteCount {
            case ...(4 << 10): .verySmall
            case ...(64 << 10): .small
            case ...(1 << 20): .medium
            case ...(16 << 20): .large
            default: .veryLarge
            }
    }

    /// The category's place in ``allCases``.
    var number: Int {
        switch self {
        case .verySmall: 0
        case .small: 1
        case .medium: 2
        case .large: 3
        case .veryLarge: 4
        }
    }
}
