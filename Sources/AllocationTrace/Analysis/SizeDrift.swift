/// A size that grows by the same number of bytes again and again, as a cache of keys and values does token by token.
public struct SizeDrift: Sendable, Equatable, Codable {
    /// The first size in bytes.
    public let firstBytes: Int
    /// The last size in bytes.
    public let lastBytes: Int
    /// By how many bytes each size is larger than the one before.
    public let stepBytes: Int
    /// How many sizes there are, first and last included.
    public let sizes: Int
}

/// Finds chains of sizes `s, s + d, s + 2d, ...` that appear in this order.
///
/// A new size makes a candidate with each of the latest new sizes below it; an allocation of the size that a candidate
/// expects makes it longer, if it comes about as long after the one before as that came after its own: a step later.
/// What grows gives its earlier sizes up; where most are still there, these are so many tensors of a step.
/// Cost: three look-ups an event, and 32 insertions for a size's first appearance. Memory: bounded.
struct SizeDriftCollector {
    /// Shorter chains appear by chance.
    static let minimumSizes = 8
    private static let recentCount = 32
    private static let maximumCandidates = 1 << 15
    private static let maximumFound = 1 << 12

    private struct Chain {
        let first: Int
        let step: Int
        var last: Int
        var count: Int
        /// How many times the size before the one before was still alive when the next one came.
        var kept = 0
        /// The event that asked for the last size, and how many events after the one before it.
        var index: Int
        var interval: Int

        /// Whether an event comes when the next size is due: from half the interval on, up to twice.
        func isDue(at index: Int) -> Bool {
            (interval / 2 - 8...2 * interval + 8).contains(index - self.index)
        }

        var isGrowth: Bool { count >= SizeDriftCollector.minimumSizes && 2 * kept < count }
    }

    private var recent: [(size: Int, index: Int)] = []
    private var candidates: [Int: [Chain]] = [:]
    /// What each candidate expects, oldest first: where there are too many, the oldest go.
    private var ages: [Int] = []
    private var oldest = 0
    private var found: [Chain] = []
    /// Blocks that live, by size.
    private var live: [Int: Int] = [:]

    mutating func observe(_ observed: ObservedEvent, isFirstOfSize: Bool) {
        let size = observed.event.byteCount
        guard observed.event.kind == .allocate else {
            let left = (live[size] ?? 0) - 1
            live[size] = left > 0 ? left : nil
            return
        }
        live[size, default: 0] += 1
        var arrivals: [Chain] = []
        var steps: Set<Int> = []
        if let waiting = candidates.removeValue(forKey: size) {
            for var chain in waiting {
                guard chain.isDue(at: observed.index) else {
                    keep(chain)
                    continue
                }
                if live[chain.last - chain.step] != nil { chain.kept += 1 }
                chain.last = size
                chain.count += 1
                chain.interval = observed.index - chain.index
                chain.index = observed.index
                arrivals.append(chain)
                steps.insert(chain.step)
            }
        }
        if isFirstOfSize {
            for earlier in recent where earlier.size < size && !steps.contains(size - earlier.size) {
                let step = size - earlier.size
                arrivals.append(
                    Chain(
                        first: earlier.size, step: step, last: size, count: 2, index: observed.index,
                        interval: observed.index - earlier.index))
                steps.insert(step)
            }
            recent.append((size, observed.index))
            if recent.count > Self.recentCount { recent.removeFirst() }
        }
        for chain in arrivals { expect(chain) }
    }

    private mutating func expect(_ chain: Chain) {
        let (next, overflow) = chain.last.addingReportingOverflow(chain.step)
        guard !overflow else { return keep(chain) }
        candidates[next, default: []].append(chain)
        ages.append(next)
        while ages.count - oldest > Self.maximumCandidates {
            let expired = candidates.removeValue(forKey: ages[oldest]) ?? []
            oldest += 1
            for chain in expired { keep(chain) }
        }
        if oldest > Self.maximumCandidates {
            ages.removeFirst(oldest)
            oldest = 0
        }
    }

    private mutating func keep(_ chain: Chain) {
        guard chain.isGrowth, found.count < Self.maximumFound else { return }
        found.append(chain)
    }

    /// The longest chains first. A chain that only takes every second or third size of a longer one is left out.
    func drifts(atMost count: Int) -> [SizeDrift] {
        let all = (found + candidates.values.joined()).filter(\.isGrowth)
            .sorted { ($0.count, $1.step, $1.first) > ($1.count, $0.step, $0.first) }
        var kept: [Chain] = []
        for chain in all where kept.count < count {
            let isPart = kept.contains { other in
                chain.step % other.step == 0 && (chain.first - other.first) % other.step == 0
                    && chain.first <= other.last && chain.last >= other.first
            }
            if !isPart { kept.append(chain) }
        }
        return kept.map {
            SizeDrift(firstBytes: $0.first, lastBytes: $0.last, stepBytes: $0.step, sizes: $0.count)
        }
    }
}
