internal import Jemalloc

/// The arenas of a base pool: one a strategy and category, and one for weights, each made at its first use.
///
/// An arena takes about 60 microseconds to make and 90 KiB of metadata, so who uses one pool for one kind of tensor
/// pays for one.
struct StrategyArenas: Sendable {
    /// An arena that can stand in an array.
    private final class Box: Sendable {
        let arena: Arena
        init(_ configuration: ArenaConfiguration) throws(JemallocError) { arena = try Arena(configuration) }
    }

    /// jemalloc 5.3.0 purges freed extents of 8 MiB and more at once, whatever the decay time says, unless this
    /// threshold of the arena is higher (`arena.<i>.oversize_threshold`).
    private static let neverOversize = 1 << 40

    private let decayMilliseconds: Int
    private var byStrategy: [[Box?]]
    private var weights: Box?

    init(decayMilliseconds: Int) {
        self.decayMilliseconds = decayMilliseconds
        let none = [Box?](repeating: nil, count: TensorSizeCategory.allCases.count)
        byStrategy = [[Box?]](repeating: none, count: AllocationStrategy.allCases.count)
    }

    mutating func flags(_ strategy: AllocationStrategy, _ category: TensorSizeCategory) throws(JemallocError)
        -> AllocationFlags
    {
        if let box = byStrategy[strategy.rawValue][category.rawValue] { return box.arena.flags }
        let box = try Box(
            configuration(
                named: "tensor-pool.\(strategy).\(category)",
                // The optimized strategy keeps its own free memory; what it gives back is meant to go.
                decay: strategy == .standard ? decayMilliseconds : 0))
        byStrategy[strategy.rawValue][category.rawValue] = box
        return box.arena.flags
    }

    mutating func weightFlags() throws(JemallocError) -> AllocationFlags {
        if let box = weights { return box.arena.flags }
        let box = try Box(configuration(named: "tensor-pool.weights", decay: 0))
        weights = box
        return box.arena.flags
    }

    func purge() {
        forEach { try? $0.purge() }
    }

    func retainedByteCount() -> Int {
        guard (try? Statistics.refresh()) != nil else { return 0 }
        var bytes = 0
        forEach { arena in
            guard let statistics = try? Statistics.arena(arena.index) else { return }
            bytes += (statistics.dirtyPages + statistics.muzzyPages) * SystemMemory.pageByteCount
        }
        return bytes
    }

    private func forEach(_ body: (borrowing Arena) -> Void) {
        for boxes in byStrategy { for case let box? in boxes { body(box.arena) } }
        if let weights { body(weights.arena) }
    }

    private func configuration(named name: String, decay: Int) -> ArenaConfiguration {
        var configuration = ArenaConfiguration()
        configuration.name = name
        configuration.dirtyDecayMilliseconds = decay
        configuration.oversizeThreshold = Self.neverOversize
        return configuration
    }
}
