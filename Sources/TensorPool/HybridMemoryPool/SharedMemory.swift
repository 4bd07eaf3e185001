internal import Jemalloc

/// What all pools of a base share, whatever limits they have of their own.
final class SharedMemory: Sendable {
    let arenas: Lock<StrategyArenas>
    private let registered = Lock<[ObjectIdentifier: WeakEngine]>([:])
    /// What is asked at a limit of the base or of a pool on it.
    let limitHandler = LimitHandler()
    /// Who is told what debugging modes find.
    let findings = FindingHandler()

    init(decayMilliseconds: Int) { arenas = Lock(StrategyArenas(decayMilliseconds: decayMilliseconds)) }

    deinit { arenas.withLock { $0.giveUp() } }

    func add(_ engine: Engine) {
        registered.withLock { $0[ObjectIdentifier(engine)] = WeakEngine(engine: engine) }
    }

    func remove(_ engine: Engine) {
        registered.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(engine)) }
    }

    func engines() -> [Engine] { registered.withLock { $0.values.compactMap(\.engine) } }
}

/// An engine that the base can ask for memory it does not use.
struct WeakEngine: Sendable {
    weak var engine: Engine?
}
