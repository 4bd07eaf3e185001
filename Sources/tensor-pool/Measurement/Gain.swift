import AllocationTrace
import TensorPool

/// How many times as fast as another allocator a pool was, in processor time.
struct Gain: Codable, Equatable {
    /// A pool's name, or `suggested`.
    let pool: String
    /// The other allocator's name.
    let peer: String
    /// The median over the turns of the ratio of the two processes of a turn, each of which counts with the median of its
    /// rounds: above 1 the pool is faster. Processes of one turn ran one after the other, so that what the machine did
    /// beside them changes their ratio least.
    let ratio: Double
    /// The lowest ratio of any turn.
    let lowest: Double
    /// The highest ratio of any turn.
    let highest: Double
    /// Processes of the pool or of the peer, whichever had fewer: with one, nothing is known of how they differ.
    let processes: Int

    /// Ratios that differ by more than this share are no one number.
    static let tolerance = 0.2

    /// Whether a process more or less, or another moment, would give about the same. With one process nothing tells.
    var isStable: Bool { highest <= lowest * (1 + Self.tolerance) }

    /// Whether another ratio is the same within the tolerance.
    func agrees(with other: Gain) -> Bool { abs(ratio - other.ratio) <= Self.tolerance * other.ratio }

    /// Whether another ratio lies between the lowest and the highest.
    func contains(_ other: Gain) -> Bool { (lowest...highest).contains(other.ratio) }
}

extension Gain {
    /// Nil where nothing took any time.
    init?(of own: ReplaySubject, over peer: ReplaySubject) {
        guard own.turnMedians.allSatisfy({ $0 > 0 }),
            let ratios = RoundStatistics(zip(peer.turnMedians, own.turnMedians).map { $0 / $1 })
        else { return nil }
        pool = own.name
        self.peer = peer.name
        ratio = ratios.median
        lowest = ratios.minimum
        highest = ratios.maximum
        processes = ratios.rounds
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
