/// For how long an engine's idle memory lay idle, seen from look to look. The engine's lock guards it.
@safe final class IdleAges: @unchecked Sendable {
    /// Nanoseconds after which idle memory goes back.
    private let age: UInt64
    private var lastLook: UInt64?
    /// Free granules of the heap.
    private var heap = LowWaterMark()
    private var lastBackedGranules = 0
    /// Blocks in the depot, by size class.
    private var depot = [LowWaterMark](repeating: LowWaterMark(), count: SizeClass.count)
    /// Of each bin of each thread's cache, how often it was used and when that was last seen to change.
    private var bins: [Use] = []

    private struct Use {
        var count = -1
        var seen: UInt64 = 0
    }

    /// Looks within one age.
    private static let looksPerAge: UInt64 = 8

    init(nanoseconds: UInt64) { age = nanoseconds }

    /// Whether it is time for a look.
    func isDue(_ now: UInt64) -> Bool {
        lastLook.map { now >= $0 && now - $0 >= age / Self.looksPerAge } ?? true
    }

    /// What idle bins held.
    struct Emptied {
        /// Blocks that went to the depot, by size class.
        var blocks = [Int](repeating: 0, count: SizeClass.count)
        /// Granules that went to the heap.
        var granules = 0
    }

    /// Looks at the depot and the heap, and gives up what was idle there, or in bins that were emptied just before, for
    /// the age or longer.
    func release(_ state: inout EngineState, _ emptied: Emptied, at now: UInt64) {
        for index in 0..<SizeClass.count {
            let flushed = emptied.blocks[index]
            depot[index].note(lowest: state.depot.takeLowest(ofClass: index), at: now)
            let idle = depot[index].lowest(within: age, of: now) + flushed
            let count = state.depot.count(ofClass: index)
            guard idle > 0, count > 0 else { continue }
            state.returnDepot(index, keeping: max(0, count - idle))
            depot[index].lower(by: idle - flushed)
            _ = state.depot.takeLowest(ofClass: index)
        }

        if state.configuration.usesSpanHeap {
            // Memory that was made ready since the last look is not old.
            let unused = min(lastBackedGranules, state.heap.backedGranules) - state.heap.peakTakenGranules
            heap.note(lowest: max(0, unused), at: now)
            state.heap.forgetPeak()
            let idle = heap.lowest(within: age, of: now)
            if idle + emptied.granules > 0 {
                let released = unsafe state.heap.releaseFree(atLeast: idle + emptied.granules) {
                    unsafe SystemMemory.release($0, $1)
                }
                state.unreserve(released << Granule.shift)
                heap.lower(by: released)
            }
            lastBackedGranules = state.heap.backedGranules
        }
        lastLook = now
    }

    /// Empties the bins of threads that nobody used for the age. All threads are kept out of their caches.
    func emptyIdleBins(_ state: inout EngineState, at now: UInt64) -> Emptied {
        var emptied = Emptied()
        let binCount = CacheLayout.recordBin
        while unsafe bins.count < state.caches.count * binCount { bins.append(Use()) }
        for place in unsafe state.caches.indices {
            let cache = unsafe state.caches[place]
            guard unsafe cache.pointee.owner != nil else { continue }
            for index in 0..<binCount {
                let bin = unsafe cache.bin(index)
                let used = unsafe bin.pointee.allocations &+ bin.pointee.frees
                let key = place * binCount + index
                if bins[key].count != used {
                    bins[key] = Use(count: used, seen: now)
                    continue
                }
                guard unsafe bin.pointee.count > 0, now >= bins[key].seen, now - bins[key].seen >= age else { continue }
                let count = unsafe bin.pointee.count
                if index < SizeClass.count {
                    emptied.blocks[index] += count
                    unsafe state.flush(index, bin, keeping: 0)
                    unsafe cache.pointee.grantedSmallBytes -= bin.pointee.limit * SizeClass.byteCount(index)
                    unsafe bin.pointee.limit = 0
                } else {
                    unsafe emptied.granules += count * Int(bin.pointee.granules)
                    unsafe state.emptySpanBin(index, cache)
                }
            }
        }
        return emptied
    }
}

/// The least of a figure within a time, from its least between each two looks.
struct LowWaterMark: Sendable {
    private var looks: [(nanoseconds: UInt64, lowest: Int)] = []

    /// Takes in the least since the look before.
    mutating func note(lowest: Int, at nanoseconds: UInt64) { looks.append((nanoseconds, lowest)) }

    /// The least within a time up to now; 0 where the looks do not go back that far. Forgets what is older.
    mutating func lowest(within age: UInt64, of now: UInt64) -> Int {
        let start = now - min(age, now)
        // A look speaks of the time since the one before: the last look at or before the start is a mark in time only.
        guard let first = looks.lastIndex(where: { $0.nanoseconds <= start }) else { return 0 }
        looks.removeFirst(first)
        return looks.dropFirst().map(\.lowest).min() ?? 0
    }

    /// Says that so much was given up.
    mutating func lower(by amount: Int) {
        for index in looks.indices { looks[index].lowest = max(0, looks[index].lowest - amount) }
    }
}
