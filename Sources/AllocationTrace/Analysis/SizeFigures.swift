/// Which sizes a trace asks for.
public struct SizeFigures: Sendable, Equatable, Codable {
    /// What one category asked for.
    public struct Category: Sendable, Equatable, Codable {
        /// Which.
        public let category: SizeCategory
        /// How often it was asked for.
        public let allocations: Int
        /// The sum of its requests in bytes; `Int.max` where it does not fit.
        public let allocatedBytes: Int
        /// The most of its bytes that were live at one time.
        public let peakLiveBytes: Int
        /// How many different sizes it has, of those told apart.
        public let distinctSizes: Int
        /// From allocation to free, in events, of the blocks that were freed.
        public let lifetimeEvents: Distribution?
        /// The same in nanoseconds, where the trace has times.
        public let lifetimeNanoseconds: Distribution?
    }

    /// How often one size was asked for.
    public struct Size: Sendable, Equatable, Codable {
        /// In bytes.
        public let byteCount: Int
        /// How often it was asked for.
        public let allocations: Int
        /// The most blocks of it that were live at one time.
        public let peakLiveBlocks: Int
    }

    /// All five, smallest first.
    public let categories: [Category]
    /// The sizes asked for most often, most often first; of equals, the larger first.
    public let mostFrequent: [Size]
    /// The sizes that took the most bytes in all, most first.
    public let mostBytes: [Size]
    /// How many different sizes were told apart: 65,536 at most.
    public let distinctSizes: Int
    /// Allocations of sizes beyond those.
    public let allocationsOfFurtherSizes: Int
}

/// Counts sizes and lifetimes as events pass.
struct SizeCollector {
    private struct CategoryState {
        var allocations = 0
        var allocatedBytes = 0
        var liveBytes = 0
        var peakLiveBytes = 0
        var lifetimeEvents = DistributionCollector()
        var lifetimeNanoseconds = DistributionCollector()
    }

    private var categories = [CategoryState](repeating: CategoryState(), count: SizeCategory.allCases.count)
    private var allocations: [Int] = []
    private var live: [Int] = []
    private var peak: [Int] = []
    private var further = 0

    mutating func observe(_ observed: ObservedEvent) {
        let byteCount = observed.event.byteCount
        let category = SizeCategory(byteCount: byteCount).number
        if observed.event.kind == .allocate {
            allocate(byteCount, category)
        } else {
            free(observed, category)
        }
        guard let size = observed.size else {
            further += observed.event.kind == .allocate ? 1 : 0
            return
        }
        if size == allocations.count {
            allocations.append(0)
            live.append(0)
            peak.append(0)
        }
        if observed.event.kind == .allocate {
            allocations[size] += 1
            live[size] += 1
            peak[size] = max(peak[size], live[size])
        } else {
            live[size] -= 1
        }
    }

    private mutating func allocate(_ byteCount: Int, _ category: Int) {
        categories[category].allocations += 1
        let (sum, overflow) = categories[category].allocatedBytes.addingReportingOverflow(byteCount)
        categories[category].allocatedBytes = overflow ? .max : sum
        categories[category].liveBytes += byteCount
        categories[category].peakLiveBytes = max(categories[category].peakLiveBytes, categories[category].liveBytes)
    }

    private mutating func free(_ observed: ObservedEvent, _ category: Int) {
        categories[category].liveBytes -= observed.event.byteCount
        guard let allocation = observed.allocation else { return }
        categories[category].lifetimeEvents.record(UInt64(observed.index - allocation.index))
        guard let freed = observed.time, let allocated = allocation.time else { return }
        categories[category].lifetimeNanoseconds.record(UInt64(max(0, freed - allocated)))
    }

    /// - Parameter topCount: how many sizes each list has.
    func figures(sizes: [Int], topCount: Int) -> SizeFigures {
        var distinct = [Int](repeating: 0, count: categories.count)
        for byteCount in sizes { distinct[SizeCategory(byteCount: byteCount).number] += 1 }
        let all = sizes.indices.map {
            SizeFigures.Size(byteCount: sizes[$0], allocations: allocations[$0], peakLiveBlocks: peak[$0])
        }
        func bytes(_ size: SizeFigures.Size) -> Double { Double(size.byteCount) * Double(size.allocations) }
        return SizeFigures(
            categories: zip(SizeCategory.allCases, categories).map { category, state in
                SizeFigures.Category(
                    category: category, allocations: state.allocations, allocatedBytes: state.allocatedBytes,
                    peakLiveBytes: state.peakLiveBytes, distinctSizes: distinct[category.number],
                    lifetimeEvents: state.lifetimeEvents.distribution,
                    lifetimeNanoseconds: state.lifetimeNanoseconds.distribution)
            },
            mostFrequent: Array(
                all.sorted { ($0.allocations, $0.byteCount) > ($1.allocations, $1.byteCount) }.prefix(topCount)),
            mostBytes: Array(all.sorted { (bytes($0), $0.byteCount) > (bytes($1), $1.byteCount) }.prefix(topCount)),
            distinctSizes: sizes.count, allocationsOfFurtherSizes: further)
    }
}
