internal import CThreadSlot
internal import Jemalloc
internal import Synchronization

/// All plans of the process by number, so that a buffer reaches its place by a number alone.
///
/// The table is never freed: a thread that has just given a place back may look at the entry once more, when the plan
/// and its memory are gone already.
@safe @usableFromInline enum PlanRegistry {
    /// How many plans there can be at one time.
    static let capacity = Int(tensorpool_plan_capacity)
    private static let placeBits: UInt32 = 16

    struct Contents {
        var cores: [Int: PlanCore] = [:]
        var freeIndices: [Int] = []
        var used = 0
        /// By plan: no place below this one is live. Counts for closed plans only, which get no new tensor.
        var checked: [Int: Int] = [:]
    }

    static let contents = Lock(Contents())

    /// Makes the table, where no plan did so yet.
    static func makeTable() { _ = contents }

    /// The number of the first place of a plan that is to be entered.
    static func reserve() throws(TensorPoolError) -> UInt32 {
        let index = contents.withLock { contents -> Int? in
            if let free = contents.freeIndices.popLast() { return free }
            guard contents.used < capacity else { return nil }
            contents.used += 1
            return contents.used - 1
        }
        guard let index else { throw .tooManyPools(maximum: capacity) }
        return UInt32(index) << placeBits
    }

    /// Makes a plan known by the number that was reserved for it.
    static func enter(_ core: PlanCore) {
        let index = core.firstNumber >> placeBits
        contents.withLock { contents in
            contents.cores[Int(index)] = core
            unsafe tensorpool_store_plan_statuses(index, core.statuses)
        }
    }

    /// Whether what is freed of a place's plan is overwritten.
    static func isScrubbed(_ number: UInt32) -> Bool {
        contents.withLock { $0.cores[Int(number >> placeBits)]?.isScrubbed ?? false }
    }

    /// Gives a place back, on any thread.
    @usableFromInline static func free(_ number: UInt32) {
        let index = number >> placeBits
        guard let table = unsafe tensorpool_load_plan_statuses(index) else { stopProgram("a block of no plan") }
        let statuses = unsafe table.assumingMemoryBound(to: Atomic<UInt8>.self)
        unsafe statuses[Int(number & (1 << placeBits - 1))].store(PlanCore.Status.free, ordering: .releasing)
        // From here on the plan may be gone; the table stays.
        tensorpool_order_store_before_load()
        if tensorpool_is_plan_closed(index) { collect(Int(index)) }
    }

    /// Says that a plan was dropped. Its memory goes with its last tensor.
    static func close(_ core: PlanCore) {
        let index = Int(core.firstNumber >> placeBits)
        tensorpool_set_plan_closed(UInt32(index), true)
        // After this, either a thread that gives a place back sees the mark, or its store is seen here.
        _ = MemoryBarrier.onAllThreads()
        collect(index)
    }

    /// Ends a plan that was dropped and has no live tensor. Does nothing for any other.
    private static func collect(_ index: Int) {
        let ended = contents.withLock { contents -> PlanCore? in
            guard let core = contents.cores[index], tensorpool_is_plan_closed(UInt32(index)) else {
                return nil
            }
            var place = contents.checked[index] ?? 0
            while place < core.count,
                unsafe core.statuses[place].load(ordering: .acquiring) != PlanCore.Status.live
            {
                place += 1
            }
            contents.checked[index] = place
            guard place == core.count else { return nil }
            contents.cores[index] = nil
            contents.checked[index] = nil
            tensorpool_store_plan_statuses(UInt32(index), nil)
            tensorpool_set_plan_closed(UInt32(index), false)
            contents.freeIndices.append(index)
            return core
        }
        // The slab goes back outside the lock.
        withExtendedLifetime(ended) {}
    }
}
