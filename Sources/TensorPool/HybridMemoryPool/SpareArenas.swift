internal import Jemalloc

/// Arenas of bases that are gone, for the next ones.
///
/// As it comes (`opt.retain`) jemalloc does not unmap the first 2 MiB of address space of an arena that is destroyed (5.3.0,
/// src/base.c: `base_unmap`), nor give back the few kibibytes by which it finds what lies there. A process that makes and drops
/// bases for as long as it lives would run out of the mappings that the kernel allows: 65,530 were used up by 8,461 inputs
/// of a fuzzer. So no arena is destroyed here that can be emptied. A spare one has no resident memory but its metadata (100 KiB); its
/// address space stays mapped, as jemalloc's does, and serves the next base.
enum SpareArenas {
    /// What an arena is for. Advice on huge pages stays with its address space, so each has spares of its own.
    enum Purpose: Hashable {
        case tensors(AllocationStrategy, TensorSizeCategory)
        case weights

        fileprivate var name: String {
            switch self {
            case .tensors(let strategy, let category): "tensor-pool.\(strategy).\(category)"
            case .weights: "tensor-pool.weights"
            }
        }
    }

    /// jemalloc 5.3.0 purges freed extents of 8 MiB and more at once, whatever the decay time says, unless this
    /// threshold of the arena is higher (`arena.<i>.oversize_threshold`).
    private static let neverOversize = 1 << 40

    private static let spares = Lock<[Purpose: [SharedArena]]>([:])

    /// Makes the table, where no base did so yet.
    static func makeTable() { _ = spares }

    /// An arena without blocks: a spare one, or a new one where there is none.
    static func take(_ purpose: Purpose, dirtyDecayMilliseconds: Int) throws(JemallocError) -> SharedArena {
        // The same settings for all, so that of the one before none is left.
        var configuration = ArenaConfiguration()
        configuration.name = purpose.name
        configuration.dirtyDecayMilliseconds = dirtyDecayMilliseconds
        configuration.oversizeThreshold = neverOversize
        guard let spare = spares.withLock({ $0[purpose]?.popLast() }) else {
            return try SharedArena(configuration)
        }
        do throws(JemallocError) {
            try spare.arena.apply(configuration)
        } catch {
            spares.withLock { $0[purpose, default: []].append(spare) }
            throw error
        }
        return spare
    }

    /// Takes an arena back, and all its memory with it.
    static func give(_ own: SharedArena, _ purpose: Purpose) {
        // What cannot be emptied is not for others: it is destroyed.
        guard (try? own.arena.reset()) != nil, (try? own.arena.purge()) != nil else { return }
        spares.withLock { $0[purpose, default: []].append(own) }
    }

    /// Destroys all spare arenas: for tests that refuse each call by which one is made.
    static func destroyAll() { spares.withLock { $0.removeAll() } }
}

/// An arena that can stand in an array.
final class SharedArena: Sendable {
    let arena: Arena
    init(_ configuration: ArenaConfiguration) throws(JemallocError) { arena = try Arena(configuration) }
}
