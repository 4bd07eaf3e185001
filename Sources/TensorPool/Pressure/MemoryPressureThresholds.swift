/// From which figure on which level holds.
public struct MemoryPressureThresholds: Sendable, Hashable {
    /// The percentages at which four levels begin. Nil where a figure never says that level.
    public struct Steps: Sendable, Hashable {
        /// Where ``MemoryPressureLevel/low`` begins.
        public var low: Double?
        /// Where ``MemoryPressureLevel/moderate`` begins.
        public var moderate: Double?
        /// Where ``MemoryPressureLevel/high`` begins.
        public var high: Double?
        /// Where ``MemoryPressureLevel/critical`` begins.
        public var critical: Double?

        /// Makes steps, in percent.
        public init(low: Double? = nil, moderate: Double? = nil, high: Double? = nil, critical: Double? = nil) {
            self.low = low
            self.moderate = moderate
            self.high = high
            self.critical = critical
        }

        fileprivate var all: [(level: MemoryPressureLevel, percent: Double?)] {
            [(.low, low), (.moderate, moderate), (.high, high), (.critical, critical)]
        }

        /// The highest level whose step, lowered by a share of itself, is reached.
        func level(of percent: Double, loweredBy share: Double) -> MemoryPressureLevel {
            all.last { $0.percent.map { percent >= $0 * (1 - share) } ?? false }?.level ?? .none
        }
    }

    /// Percent of ten seconds in which some work waited for memory. Some waiting is normal under load.
    public var someStalled = Steps(low: 1, moderate: 5, high: 20)
    /// Percent of ten seconds in which all work waited. All work waiting for a tenth of the time is thrashing.
    public var allStalled = Steps(high: 2, critical: 10)
    /// Percent of a control group's limit in use. Of `memory.high`, which slows processes down and kills none, the most
    /// that is said is ``MemoryPressureLevel/high``.
    public var groupUse = Steps(low: 80, moderate: 88, high: 93, critical: 97)
    /// Percent of the machine's memory in use.
    public var machineUse = Steps(low: 80, moderate: 88, high: 93, critical: 97)

    /// Makes the default thresholds.
    public init() {}

    /// The level a reading tells of. `share` lowers every threshold by a share of itself: what a level must fall below
    /// to end.
    public func level(of reading: MemoryPressureReading, loweredBy share: Double = 0) -> MemoryPressureLevel {
        switch reading {
        case .stalls(let figures):
            return max(
                someStalled.level(of: figures.some, loweredBy: share),
                allStalled.level(of: figures.full, loweredBy: share))
        case .controlGroup(let figures):
            let limit = figures.limitPercent.map { groupUse.level(of: $0, loweredBy: share) }
            let throttle = figures.throttlePercent.map { min(.high, groupUse.level(of: $0, loweredBy: share)) }
            return max(limit ?? .none, throttle ?? .none)
        case .availableMemory(let figures):
            return machineUse.level(of: figures.usedPercent, loweredBy: share)
        case .other(_, let level):
            return level
        }
    }

    func validate() throws(TensorPoolError) {
        for (name, steps) in [
            ("someStalled", someStalled), ("allStalled", allStalled), ("groupUse", groupUse),
            ("machineUse", machineUse),
        ] {
            var last = 0.0
            for (level, percent) in steps.all {
                guard let percent else { continue }
                guard percent > last, percent <= 100 else {
                    throw .invalidConfiguration(
                        setting: "\(name).\(level)", value: "\(percent)",
                        reason: "steps are percentages above 0 up to 100, each above the one before (\(last))")
                }
                last = percent
            }
        }
    }
}
