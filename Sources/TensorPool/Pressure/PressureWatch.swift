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
    var isBaseAlive: Bool { base != nil }

    /// Its last reference may be the one returned: its end then runs under no lock.
    private var base: HybridMemoryPool? { state.withLock { $0.base } }

    /// Reads, judges, and gives back what the level and the age of idle memory ask for. What is given back may call the
    /// program's handlers, so that is done under no lock.
    @discardableResult func look() -> MemoryPressureEvent? {
        guard let base else { return nil }
        let readings = sources.read()
        let verdict = state.withLock { judge(&$0, readings) }
        let trim = verdict.response.map { base.respond($0) }
        let idle = base.releaseIdle(at: verdict.nanoseconds)
        guard verdict.level != verdict.previousLevel || trim != nil || idle.releasedBytes > 0 else { return nil }
        let event = MemoryPressureEvent(
            level: verdict.level, previousLevel: verdict.previousLevel, readings: readings, trim: trim,
            idleRelease: idle.releasedBytes > 0 ? idle : nil)
        onEvent?(event)
        return event
    }

    private struct Verdict {
        let nanoseconds: UInt64
        let previousLevel: MemoryPressureLevel
        let level: MemoryPressureLevel
        /// What is to be taken now; nil where nothing is due.
        let response: MemoryPressureResponse?
    }

    /// Settles the level, and whether it is responded to. Of looks at once one gets to respond.
    private func judge(_ state: inout State, _ readings: [MemoryPressureReading]) -> Verdict {
        let now = clock()
        let previous = state.assessor.level
        let level = state.assessor.assess(readings, at: now)
        let response = configuration.response(to: level)
        let isDue =
            level > previous
            || now - min(state.lastTrim, now) >= configuration.repeatInterval.wholeNanoseconds
        guard response.isActive && isDue else {
            return Verdict(nanoseconds: now, previousLevel: previous, level: level, response: nil)
        }
        state.lastTrim = now
        return Verdict(nanoseconds: now, previousLevel: previous, level: level, response: response)
    }
}
