import AllocationTrace
import TensorPool

/// How many times as fast as another allocator a pool was, in processor time.
struct Gain: Codable, Equatable {
    /// A pool's name, or `suggested`.
    let pool: String
    /// The other allocator's name.
    let peer: String
    /// The medians' ratio: above 1 the pool is faster.
    let ratio: Double
    /// The ratio of the peer's fastest process and the pool's slowest.
    let lowest: Double
    /// The ratio of the peer's slowest process and the pool's fastest.
    let highest: Double
    /// Processes of the pool or of the peer, whichever had fewer: with one, nothing is known of how they differ.
    let processes: Int

    /// Ratios that differ by more than this share are no one number.
    static let tolerance = 0.2

    /// Whether a process more or less, or another moment, would give about the same.
    var isStable: Bool { highest <= lowest * (1 + Self.tolerance) }

    /// Whether another ratio is the same within the tolerance.
    func agrees(with other: Gain) -> Bool { abs(ratio - other.ratio) <= Self.tolerance * other.ratio }
}

extension Gain {
    /// Nil where nothing took any time.
    init?(of own: ReplaySubject, over peer: ReplaySubject) {
        let (mine, theirs) = (own.processMedians, peer.processMedians)
        guard own.processorNanosecondsPerEvent.median > 0, mine.minimum > 0 else { return nil }
        pool = own.name
        self.peer = peer.name
        ratio = peer.processorNanosecondsPerEvent.median / own.processorNanosecondsPerEvent.median
        lowest = theirs.minimum / mine.maximum
        highest = theirs.maximum / mine.minimum
        processes = min(mine.rounds, theirs.rounds)
    }

    /// Of each pool over each other allocator.
    static func all(_ subjects: [ReplaySubject]) -> [Gain] {
        func isOwn(_ name: String) -> Bool { name == ReplayEstimate.suggested || PoolName(rawValue: name) != nil }
        let peers = subjects.filter { !isOwn($0.name) }
        return subjects.filter { isOwn($0.name) }.flatMap { own in peers.compactMap { Gain(of: own, over: $0) } }
    }
}

extension [Gain] {
    /// For people; empty where nothing was compared.
    var table: String {
        var table = FigureTable([
            .text("pool"), .text("over"), .number("times as fast"), .number("lowest"), .number("highest"),
            .text("between processes"),
        ])
        for gain in self {
            table.append([
                gain.pool, gain.peer, Figures.decimal(gain.ratio), Figures.decimal(gain.lowest),
                Figures.decimal(gain.highest),
                gain.processes < 2 ? "unknown" : gain.isStable ? "stable" : "varies",
            ])
        }
        return table.text
    }
}
