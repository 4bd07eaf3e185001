/// From readings to levels that do not flutter: up at once, down only when the figures stay well below for a time.
struct MemoryPressureAssessor: Sendable {
    let configuration: MemoryPressureConfiguration
    /// The level that holds.
    private(set) var level = MemoryPressureLevel.none
    /// Since when all readings were below the level, by the monotonic clock; nil while they are not.
    private var lowSince: UInt64?
    /// How often the process's group had run out of memory, by file.
    private var outOfMemoryCounts: [String: Int] = [:]

    init(configuration: MemoryPressureConfiguration) { self.configuration = configuration }

    /// Takes readings of a moment in. Returns the level from now on.
    mutating func assess(_ readings: [MemoryPressureReading], at nanoseconds: UInt64) -> MemoryPressureLevel {
        let thresholds = configuration.thresholds
        var risen = readings.map { thresholds.level(of: $0) }.max() ?? .none
        if readings.reduce(false, { hasRunOut($1) || $0 }) { risen = .critical }
        let held = max(
            risen, readings.map { thresholds.level(of: $0, loweredBy: configuration.fallMargin) }.max() ?? .none)
        if risen > level {
            level = risen
            lowSince = nil
        } else if held >= level {
            lowSince = nil
        } else {
            let start = lowSince ?? nanoseconds
            lowSince = start
            if nanoseconds - min(start, nanoseconds) >= configuration.fallDelay.wholeNanoseconds {
                level = held
                lowSince = nil
            }
        }
        return level
    }

    /// Whether the process's group ran out of memory since the reading before.
    private mutating func hasRunOut(_ reading: MemoryPressureReading) -> Bool {
        guard case .controlGroup(let figures) = reading, let count = figures.outOfMemoryCount else { return false }
        let before = outOfMemoryCounts.updateValue(count, forKey: figures.eventsKey)
        return before.map { count > $0 } ?? false
    }
}

extension ControlGroupFigures {
    /// The counts are the own group's, whichever group is the tightest: one key a version of control groups.
    fileprivate var eventsKey: String { file.hasSuffix("memory.current") ? "2" : "1" }
}
