/// How a ``MemoryPressureMonitor`` judges memory pressure and what it does about it.
public struct MemoryPressureConfiguration: Sendable, Hashable {
    /// Where levels begin.
    public var thresholds = MemoryPressureThresholds()
    /// The share of a threshold by which a figure must fall below it before its level ends, 0 up to 1. Levels rise at
    /// once.
    public var fallMargin = 0.05
    /// How long figures must be that low before the level falls.
    public var fallDelay = Duration.seconds(5)
    /// Time between two looks; a stall trigger of the kernel wakes the monitor in between.
    public var interval = Duration.seconds(1)
    /// Time between two trims while a level lasts. A rise trims at once.
    public var repeatInterval = Duration.seconds(10)
    /// Whether the kernel is asked to wake the monitor when stalls reach the lowest step of
    /// ``MemoryPressureThresholds/someStalled`` within two seconds. Where it refuses, ``interval`` alone counts.
    public var usesStallTrigger = true
    /// What ``MemoryPressureLevel/low`` takes: by default the arenas' unused pages.
    public var low = MemoryPressureResponse(purgesArenas: true)
    /// What ``MemoryPressureLevel/moderate`` takes: by default a quarter of idle memory.
    public var moderate = MemoryPressureResponse(idleShare: 0.25, purgesArenas: true)
    /// What ``MemoryPressureLevel/high`` takes: by default three quarters of idle memory.
    public var high = MemoryPressureResponse(idleShare: 0.75, purgesArenas: true)
    /// What ``MemoryPressureLevel/critical`` takes: by default all idle memory.
    public var critical = MemoryPressureResponse(idleShare: 1, purgesArenas: true)

    /// Makes the default configuration.
    public init() {}

    /// What a level takes.
    public func response(to level: MemoryPressureLevel) -> MemoryPressureResponse {
        switch level {
        case .none: MemoryPressureResponse()
        case .low: low
        case .moderate: moderate
        case .high: high
        case .critical: critical
        }
    }

    func validate() throws(TensorPoolError) {
        try thresholds.validate()
        guard fallMargin >= 0, fallMargin < 1 else {
            throw .invalidConfiguration(
                setting: "fallMargin", value: "\(fallMargin)", reason: "a share of a threshold is 0 up to 1, 1 excluded"
            )
        }
        for (setting, value, least) in [
            ("interval", interval, Duration.milliseconds(1)), ("fallDelay", fallDelay, .zero),
            ("repeatInterval", repeatInterval, .zero),
        ] where value < least || value > .seconds(86_400) {
            throw .invalidConfiguration(
                setting: setting, value: "\(value)", reason: "it is \(least) to one day")
        }
        for (setting, response) in [("low", low), ("moderate", moderate), ("high", high), ("critical", critical)] {
            try response.validate(setting)
        }
    }
}

extension Duration {
    /// Whole nanoseconds; those of a negative duration are 0, of one too long the most there is.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return .max }
        let (sum, carry) = product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return carry ? .max : sum
    }
}
