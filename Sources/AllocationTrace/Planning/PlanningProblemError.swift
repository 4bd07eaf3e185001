/// Why items are no planning problem. Items are counted from 0.
public enum PlanningProblemError: Error, Equatable, Sendable {
    /// A size of zero or less.
    case invalidByteCount(index: Int, id: String, byteCount: Int)
    /// A lifetime that ends where it begins, or before.
    case emptyLifetime(index: Int, id: String, lower: Int, upper: Int)
    /// With this item, all sizes together are above the limit.
    case totalTooLarge(index: Int, id: String, limit: Int)
}

extension PlanningProblemError: CustomStringConvertible {
    /// Which item, what it holds, and what it must hold.
    public var description: String {
        switch self {
        case .invalidByteCount(let index, let id, let byteCount):
            "item \(index) (id \(id)) has \(byteCount) bytes: a size is at least 1"
        case .emptyLifetime(let index, let id, let lower, let upper):
            "item \(index) (id \(id)) lives from \(lower) to \(upper): the end must be above the start"
        case .totalTooLarge(let index, let id, let limit):
            "item \(index) (id \(id)) brings the sum of all sizes above \(limit) bytes, the most a plan can have"
        }
    }
}
