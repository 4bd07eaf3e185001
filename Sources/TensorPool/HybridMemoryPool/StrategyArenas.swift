internal import Jemalloc

/// The arenas of a base pool: one a strategy and category, and one for weights, each made at its first use.
///
/// An arena takes about 60 microseconds to make and 90 KiB of metadata, so who uses one pool for one kind of tensor
/// pays for one. They come from ``SpareArenas`` and go back there with the base.
struct StrategyArenas: Sendable {
    private let decayMilliseconds: Int
    private var byStrategy: [[SharedArena?]]
    private var weights: SharedArena?

    init(decayMilliseconds: Int) {
        self.decayMilliseconds = decayMilliseconds
        let none = [SharedArena?](repeating: nil, count: TensorSizeCategory.allCases.count)
        byStrategy = [[SharedArena?]](repeating: none, count: AllocationStrategy.allCases.count)
    }

    mutating func flags(_ strategy: AllocationStrategy, _ category: TensorSizeCategory) throws(JemallocError)
        -> AllocationFlags
    {
        if let own = byStrategy[strategy.rawValue][category.rawValue] { return own.arena.flags }
        // The optimized strategy keeps its own free memory; what it gives back is meant to go.
        let decay = strategy == .standard ? decayMilliseconds : 0
        let made = try SpareArenas.take(.tensors(strategy, category), dirtyDecayMilliseconds: decay)
        byStrategy[strategy.rawValue][category.rawValue] = made
        return made.arena.flags
    }

    mutating func weightFlags() throws(JemallocError) -> AllocationFlags {
        if let own = weights { return own.arena.flags }
        let made = try SpareArenas.take(.weights, dirtyDecayMilliseconds: 0)
        weights = made
        return made.arena.flags
    }

    /// Gives all arenas up. Nobody may have a block of them any more.
    consuming func giveUp() {
        for strategy in AllocationStrategy.allCases {
            for category in TensorSizeCategory.allCases {
                guard let own = byStrategy[strategy.rawValue][category.rawValue] else { continue }
                SpareArenas.give(own, .tensors(strategy, category))
            }
        }
        if let weights { SpareArenas.give(weights, .weights) }
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
        for arenas in byStrategy { for case let own? in arenas { body(own.arena) } }
        if let weights { body(weights.arena) }
    }
}
