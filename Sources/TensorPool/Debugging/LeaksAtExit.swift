internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Tells at the end of the process what is live in pools that nobody dropped, where `leaks` asks for it: pools in global
/// variables never are.
///
/// It waits for no lock. Who calls `exit` may hold one (from a signal handler, which it must not, but does), and a thread
/// that holds one may be stopped for good.
enum LeaksAtExit {
    /// Arranges for it, once a process.
    static func arrange() { _ = isArranged }

    private static let isArranged = atexit { LeaksAtExit.report() } == 0

    private static func report() {
        guard let engines = EngineRegistry.enginesWithoutWaiting() else { return }
        for engine in engines where engine.guards?.options.reportsLeaks == true {
            guard let leaks = engine.leaksWithoutWaiting() else {
                FindingHandler.print("TensorPool: what is live in a pool is not told: it was in use at the exit\n")
                continue
            }
            for leak in leaks { engine.base.shared.findings.report(leak) }
        }
    }
}

extension EngineRegistry {
    /// All engines; nil where another thread, or what this one interrupted, is at the registry.
    fileprivate static func enginesWithoutWaiting() -> [Engine]? {
        guard contents.tryLock() else { return nil }
        defer { contents.unlock() }
        return unsafe (0..<Int(contents.locked.pointee.used)).compactMap { unsafe engines[$0]?.takeUnretainedValue() }
    }
}

extension Engine {
    /// The live tensors of a pool that is still there; nil where the engine is in use.
    fileprivate func leaksWithoutWaiting() -> [DebugFinding]? {
        guard let guards else { return [] }
        guard unsafe lock.tryLock(ownCache) else { return nil }
        defer { unsafe lock.unlock(nil, isBiased: false) }
        // Of one that was dropped it was told then.
        return unsafe state.pointee.isClosed ? [] : guards.leaks()
    }
}
