/// Tensors with known sizes and lifetimes, each to be given a place in one slab.
///
/// Thread-safety: immutable, may be shared. Cost: about 40 bytes an item.
public struct PlanningProblem: Sendable, Equatable {
    /// One tensor: `byteCount` bytes that are live from `lower` until just before `upper`.
    public struct Item: Sendable, Equatable {
        /// The name that the plan gives back. Two items may have the same.
        public let id: String
        /// The moment at which it is allocated, in any unit.
        public let lower: Int
        /// The moment at which it is free again: another item may take its place in this very moment.
        public let upper: Int
        /// Its size in bytes.
        public let byteCount: Int

        /// An item as it is; a problem checks it.
        public init(id: String, lower: Int, upper: Int, byteCount: Int) {
            self.id = id
            self.lower = lower
            self.upper = upper
            self.byteCount = byteCount
        }
    }

    /// The most bytes that all items may have together, so that no sum of sizes or offsets overflows: 2^60.
    public static let maximumTotalBytes = 1 << 60

    /// In the order they were given in.
    public let items: [Item]

    /// A problem of these items; none at all is one, too.
    ///
    /// - Complexity: O(items).
    /// - Throws: ``PlanningProblemError`` at the first item that cannot be.
    public init(items: [Item]) throws(PlanningProblemError) {
        var room = Self.maximumTotalBytes
        for (index, item) in items.enumerated() {
            guard item.byteCount > 0 else {
                throw .invalidByteCount(index: index, id: item.id, byteCount: item.byteCount)
            }
            guard item.lower < item.upper else {
                throw .emptyLifetime(index: index, id: item.id, lower: item.lower, upper: item.upper)
            }
            guard item.byteCount <= room else {
                throw .totalTooLarge(index: index, id: item.id, limit: Self.maximumTotalBytes)
            }
            room -= item.byteCount
        }
        self.items = items
    }

    /// The most bytes alive at one moment: no plan can do with less.
    ///
    /// - Complexity: O(n log n).
    public var peakLiveBytes: Int {
        var changes: [(time: Int, bytes: Int)] = []
        changes.reserveCapacity(2 * items.count)
        for item in items {
            changes.append((item.lower, item.byteCount))
            changes.append((item.upper, -item.byteCount))
        }
        // Of one moment, frees come first: lifetimes are half-open.
        changes.sort { $0.time != $1.time ? $0.time < $1.time : $0.bytes < $1.bytes }
        var live = 0
        var peak = 0
        for change in changes {
            live += change.bytes
            peak = max(peak, live)
        }
        return peak
    }
}
