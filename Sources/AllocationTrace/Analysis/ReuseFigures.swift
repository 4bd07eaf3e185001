/// How soon a freed size is asked for again.
public struct ReuseFigures: Sendable, Equatable, Codable {
    /// Events from a free to the allocation of the same size that could take the block; the latest freed goes first.
    /// Nil where no size comes back.
    public let distanceEvents: Distribution?
    /// The share of allocations for which a freed block of exactly their size was there, 0 to 1: what a cache by exact
    /// size that keeps everything would serve.
    public let reusableShare: Double
    /// Allocations for which none was there.
    public let newBlocks: Int
}

/// Follows freed blocks of each size, latest first. Memory: 8 bytes for each block that is free at one time.
struct ReuseCollector {
    private static let none = UInt32.max

    private var distances = DistributionCollector()
    private var newBlocks = 0
    /// Of each size, the latest free.
    private var latest: [UInt32] = []
    private var freedAt: [UInt32] = []
    private var previous: [UInt32] = []
    private var unused: [UInt32] = []

    mutating func observe(_ observed: ObservedEvent) {
        guard let size = observed.size else {
            newBlocks += observed.event.kind == .allocate ? 1 : 0
            return
        }
        if size == latest.count { latest.append(Self.none) }
        if observed.event.kind == .free {
            let node = unused.popLast() ?? UInt32(freedAt.count)
            if Int(node) == freedAt.count {
                freedAt.append(0)
                previous.append(0)
            }
            freedAt[Int(node)] = UInt32(truncatingIfNeeded: observed.index)
            previous[Int(node)] = latest[size]
            latest[size] = node
        } else if latest[size] == Self.none {
            newBlocks += 1
        } else {
            let node = latest[size]
            distances.record(UInt64(observed.index) - UInt64(freedAt[Int(node)]))
            latest[size] = previous[Int(node)]
            unused.append(node)
        }
    }

    func figures(_ summary: TraceSummary) -> ReuseFigures {
        let reused = summary.allocationCount - newBlocks
        return ReuseFigures(
            distanceEvents: distances.distribution,
            reusableShare: summary.allocationCount > 0 ? Double(reused) / Double(summary.allocationCount) : 0,
            newBlocks: newBlocks)
    }
}
