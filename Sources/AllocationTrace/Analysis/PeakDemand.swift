/// The most bytes live at one time by how a pool would keep them: what it would have to make ready ahead of time.
public struct PeakDemand: Sendable, Equatable, Codable {
    /// Requests up to 4 KiB.
    public let verySmall: Int
    /// Requests over 4 KiB, up to the ceiling of what has size classes.
    public let small: Int
    /// Larger ones up to 1 MiB, in whole granules.
    public let medium: Int
    /// Over 1 MiB up to 16 MiB, in whole granules.
    public let large: Int
    /// Over 16 MiB, in whole granules.
    public let veryLarge: Int
    /// All in whole granules together: at most their sum, for their peaks need not coincide.
    public let granules: Int
}

struct PeakDemandCollector {
    /// The optimized pool's: size classes up to 14 KiB, granules of 16 KiB above.
    static let smallCeiling = 14 << 10
    static let granuleBytes = 16 << 10

    private var live = [Int](repeating: 0, count: 6)
    private var peak = [Int](repeating: 0, count: 6)

    mutating func observe(_ event: TraceEvent) {
        let isGranules = event.byteCount > Self.smallCeiling
        let group =
            switch event.byteCount {
            case ...(4 << 10): 0
            case ...Self.smallCeiling: 1
            case ...(1 << 20): 2
            case ...(16 << 20): 3
            default: 4
            }
        // A trace's sizes are at most 2^57 together: rounding up cannot overflow.
        let whole = (event.byteCount + Self.granuleBytes - 1) / Self.granuleBytes * Self.granuleBytes
        let change = (isGranules ? whole : event.byteCount) * (event.kind == .allocate ? 1 : -1)
        move(group, by: change)
        if isGranules { move(5, by: change) }
    }

    private mutating func move(_ group: Int, by change: Int) {
        live[group] += change
        peak[group] = max(peak[group], live[group])
    }

    var demand: PeakDemand {
        PeakDemand(
            verySmall: peak[0], small: peak[1], medium: peak[2], large: peak[3], veryLarge: peak[4], granules: peak[5])
    }
}
