internal import Jemalloc

/// What a monitor looks at and does, apart from when.
final class PressureWatch: Sendable {
    let configuration: MemoryPressureConfiguration
    private let sources: MemoryPressureSources
    private let clock: @Sendable () -> UInt64
    private let onEvent: (@Sendable (MemoryPressureEvent) -> Void)?
    private let state: Lock<State>

    private struct State {
        weak var base: HybridMemoryPool?
        var assessor: MemoryPressureAssessor
        var lastTrim: UInt64 = 0
    }

    init(
        _ base: HybridMemoryPool, _ configuration: MemoryPressureConfiguration, _ sources: MemoryPressureSources,
        _ clock: @escaping @Sendable () -> UInt64, _ onEvent: (@Sendable (MemoryPressureEvent) -> Void)?
    ) {
        self.configuration = configuration
        self.sources = sources
        self.clock = clock
        self.onEvent = onEvent
        state = Lock(State(base: base, assessor: MemoryPressureAssessor(configuration: configuration)))
    }

    var level: MemoryPressureLevel { state.withLock { $0.assessor.level } }
    var isBaseAlive: Bool { state.withLock { $0.base != nil } }

    /// Reads, judges, and gives back what the level and the age of idle memory ask for.
    @discardableResult func look() -> MemoryPressureEvent? {
        // Outside the lock: where this is the last reference, the base's end runs here.
        guard let base = state.withLock({ $0.base }) else { return nil }
        let readings = sources.read()
        let event = state.withLock { look(&$0, base, readings) }
        if let event { onEvent?(event) }
        return event
    }

    private func look(_ state: inout State, _ base: HybridMemoryPool, _ readings: [MemoryPressureReading])
        -> MemoryPressureEvent?
    {
        let now = clock()
        let previous = state.assessor.level
        let level = state.assessor.assess(readings, at: now)
        let response = configuration.response(to: level)
        var trim: TrimResult?
        let isDue =
            level > previous
            || now - min(state.lastTrim, now) >= configuration.repeatInterval.wholeNanoseconds
        if response.isActive && isDue {
            trim = base.respond(response)
            state.lastTrim = now
        }
        let idle = base.releaseIdle(at: now)
        guard level != previous || trim != nil || idle.releasedBytes > 0 else { return nil }
        return MemoryPressureEvent(
            level: level, previousLevel: previous, readings: readings, trim: trim,
            idleRelease: idle.releasedBytes > 0 ? idle : nil)
    }
}
