import Foundation
import TensorPool

/// What debugging modes told about a base and its pools.
final class Findings: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [DebugFinding] = []

    init(of base: HybridMemoryPool) {
        base.setFindingHandler { finding in self.lock.withLock { self.list.append(finding) } }
    }

    var all: [DebugFinding] { lock.withLock { list } }

    /// What was found since the last call.
    func take() -> [DebugFinding] {
        lock.withLock {
            defer { list = [] }
            return list
        }
    }
}

/// A pool of one of the three kinds with debugging modes.
enum WatchedPool: String, CaseIterable, Sendable {
    case standard, optimized, adaptive, base

    /// The pool, and the base that tells what is found.
    func make(_ words: String) throws -> (pool: any ObservablePool, base: HybridMemoryPool) {
        let options = try DebugOptions(words)
        if self == .base {
            var configuration = HybridMemoryPool.Configuration()
            configuration.debugging = options
            let base = try HybridMemoryPool(configuration: configuration)
            return (base, base)
        }
        let base = try HybridMemoryPool()
        switch self {
        case .standard: return (try TensorMemoryPool(base, configuration: .watched(words)), base)
        case .optimized: return (try OptimizedTensorMemoryPool(base, configuration: .watched(words)), base)
        default:
            var configuration = AdaptiveConfiguration()
            configuration.optimized = .bare
            configuration.debugging = options
            return (try AdaptiveTensorMemoryPool(base, configuration: configuration), base)
        }
    }
}
