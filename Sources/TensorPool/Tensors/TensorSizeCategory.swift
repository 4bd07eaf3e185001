/// The five size categories of tensors, by requested bytes. Upper bounds are inclusive.
///
/// Each strategy of a ``HybridMemoryPool`` has one jemalloc arena per category, so that tensors of different lifetimes
/// and sizes do not fragment each other's memory. The bounds are those of the migration guide.
@frozen public enum TensorSizeCategory: Int, CaseIterable, Sendable, Hashable, Comparable, Codable {
    /// Up to 4 KiB.
    case verySmall
    /// Over 4 KiB, up to 64 KiB.
    case small
    /// Over 64 KiB, up to 1 MiB.
    case medium
    /// Over 1 MiB, up to 16 MiB.
    case large
    /// Over 16 MiB.
    case veryLarge

    /// The category of a tensor of `byteCount` bytes.
    ///
    /// - Complexity: O(1), no memory access.
    @inlinable public init(byteCount: Int) {
        if byteCount <= 4 << 10 {
            self = .verySmall
        } else if byteCount <= 64 << 10 {
            self = .small
        } else if byteCount <= 1 << 20 {
            self = .medium
        } else if byteCount <= 16 << 20 {
            self = .large
        } else {
            self = .veryLarge
        }
    }

    /// The largest size of the category in bytes, itself included.
    public var maximumByteCount: Int {
        switch self {
        case .verySmall: 4 << 10
        case .small: 64 << 10
        case .medium: 1 << 20
        case .large: 16 << 20
        case .veryLarge: .max
        }
    }

    /// Orders categories by size.
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension TensorSizeCategory: CustomStringConvertible {
    /// The category's name as the guide writes it, such as `VerySmall`.
    public var description: String {
        switch self {
        case .verySmall: "VerySmall"
        case .small: "Small"
        case .medium: "Medium"
        case .large: "Large"
        case .veryLarge: "VeryLarge"
        }
    }
}
