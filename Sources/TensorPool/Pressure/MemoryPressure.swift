/// How short of memory the system says it is, and by which of its figures.
public struct MemoryPressure: Sendable, Hashable {
    /// The level.
    public let level: MemoryPressureLevel
    /// The figure that set the level, as a file and what it said.
    public let source: String
    /// Everything that was read.
    public let readings: [MemoryPressureReading]

    init(level: MemoryPressureLevel, source: String, readings: [MemoryPressureReading] = []) {
        self.level = level
        self.source = source
        self.readings = readings
    }

    /// The pressure that readings tell of: the most urgent of them counts.
    public init(readings: [MemoryPressureReading], thresholds: MemoryPressureThresholds = MemoryPressureThresholds()) {
        let levels = readings.map { thresholds.level(of: $0) }
        let highest = levels.max() ?? .none
        let first = levels.firstIndex(of: highest).map { readings[$0].description }
        self.init(
            level: highest, source: first ?? "this system tells nothing of memory pressure", readings: readings)
    }

    /// Reads the pressure now: stalls on memory, the control group's use of its limit, and where no group has a limit
    /// the memory available to new work. See ``MemoryPressureSources/system``.
    ///
    /// Cost: a few files of the system, 0.14 ms (2-core x86-64 VM, 2026-11-23).
    public static func current() -> MemoryPressure { MemoryPressure(readings: MemoryPressureSources.system.read()) }

    /// Reads below another root than `/`, for tests.
    static func current(root: String) -> MemoryPressure {
        MemoryPressure(readings: MemoryPressureSources(root: root).read())
    }
}
