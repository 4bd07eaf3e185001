/// A size of which blocks are allocated again and again and never freed.
public struct LikelyLeak: Sendable, Equatable, Codable {
    /// In bytes; nil for blocks of changing sizes.
    public let byteCount: Int?
    /// Blocks that were never freed.
    public let blocks: Int
    /// Their bytes in all.
    public let bytes: Int
    /// In how many stretches of the trace at least one was left behind.
    public let stretches: Int
    /// Of how many that were looked at: steps where there are any, else sixteenths of the trace; the last is left out.
    public let stretchesSeen: Int
    /// The median bytes left behind in a stretch.
    public let bytesPerStretch: Int
}

/// Finds what is left behind in most stretches of a trace. What lives at the end was not freed yet or never will be:
/// only what every stretch leaves behind is likely a leak.
struct LeakSearch {
    /// The share of stretches that must leave something behind.
    static let stretchShare = 0.75
    private static let maximumStretches = 64
    private static let stretchesWithoutSteps = 16
    private static let minimumStretches = 4

    /// - Parameter boundaries: the events at which steps begin; nil where there are none.
    static func run(_ trace: AllocationTrace, boundaries: [Int]?) -> [LikelyLeak] {
        let stretches = Self.stretches(trace.events.count, boundaries: boundaries)
        // The first sets up what stays, the last may still be freed.
        guard stretches.count >= minimumStretches, !trace.releases.isEmpty else { return [] }
        let seen = stretches.dropFirst().dropLast()
        var perSize: [Int?: [Int: (blocks: Int, bytes: Int)]] = [:]
        var isOpen = [Bool](repeating: false, count: trace.slotCount)
        for release in trace.releases { isOpen[Int(release.slot)] = true }
        // Backwards, a slot's first allocation is the one that is never freed.
        var stretch = seen.endIndex - 1
        for index in trace.events.indices.reversed() {
            let event = trace.events[index]
            guard isOpen[Int(event.slot)], event.kind == .allocate else { continue }
            isOpen[Int(event.slot)] = false
            while stretch >= seen.startIndex, index < seen[stretch].lowerBound { stretch -= 1 }
            guard stretch >= seen.startIndex, seen[stretch].contains(index) else { continue }
            for key in [event.byteCount, nil] {
                let old = perSize[key, default: [:]][stretch, default: (0, 0)]
                perSize[key, default: [:]][stretch] = (old.blocks + 1, old.bytes + event.byteCount)
            }
        }
        let leaks = perSize.compactMap { byteCount, found in leak(byteCount, found, of: seen.count) }
        let named = leaks.filter { $0.byteCount != nil }
        // Blocks of changing sizes count only where no size alone tells it.
        let chosen = named.isEmpty ? leaks : named
        return chosen.sorted { ($0.bytes, $0.byteCount ?? 0) > ($1.bytes, $1.byteCount ?? 0) }
    }

    private static func leak(
        _ byteCount: Int?, _ found: [Int: (blocks: Int, bytes: Int)], of seen: Int
    ) -> LikelyLeak? {
        guard Double(found.count) >= stretchShare * Double(seen) else { return nil }
        let bytes = found.values.map(\.bytes).sorted()
        return LikelyLeak(
            byteCount: byteCount, blocks: found.values.reduce(0) { $0 + $1.blocks }, bytes: bytes.reduce(0, +),
            stretches: found.count, stretchesSeen: seen, bytesPerStretch: bytes[bytes.count / 2])
    }

    /// Steps, several together where there are many, or equal parts of the trace.
    private static func stretches(_ eventCount: Int, boundaries: [Int]?) -> [Range<Int>] {
        if let boundaries, boundaries.count > minimumStretches {
            let stride = (boundaries.count - 2) / maximumStretches + 1
            let starts = Swift.stride(from: 0, to: boundaries.count, by: stride).map { boundaries[$0] }
            return zip(starts, starts.dropFirst()).map { $0..<$1 } + [starts[starts.count - 1]..<eventCount]
        }
        let starts = (0...stretchesWithoutSteps).map { eventCount / stretchesWithoutSteps * $0 }
        return zip(starts, starts.dropFirst()).map { $0..<$1 }
    }
}
