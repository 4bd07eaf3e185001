import Jemalloc
import Synchronization

@testable import TensorPool

/// Refuses backend calls by their position in a run: one of them, or all from one on.
final class InjectedFaults: Sendable {
    enum Plan: Sendable, Hashable {
        case none
        case only(Int)
        case allFrom(Int)

        func refuses(_ position: Int) -> Bool {
            switch self {
            case .none: false
            case .only(let refused): position == refused
            case .allFrom(let first): position >= first
            }
        }
    }

    private struct Counts {
        var calls: [BackendCall: Int] = [:]
        var total = 0
        var refused = 0
    }
    private let counts = Mutex(Counts())

    /// Calls made, by kind.
    var calls: [BackendCall: Int] { counts.withLock { $0.calls } }
    /// Calls made.
    var total: Int { counts.withLock { $0.total } }
    /// Calls refused.
    var refused: Int { counts.withLock { $0.refused } }

    /// Runs `body` while calls are counted and refused. Returns what `body` threw.
    func during(_ plan: Plan, _ body: () throws(TensorPoolError) -> Void) -> TensorPoolError? {
        FaultInjection.set { [self] call in
            counts.withLock { counts in
                defer { counts.total += 1 }
                counts.calls[call, default: 0] += 1
                guard plan.refuses(counts.total) else { return false }
                counts.refused += 1
                return true
            }
        }
        defer { FaultInjection.set(nil) }
        return refusal(body)
    }
}

/// Work on a pool whose every backend call is refused in turn.
struct FaultScenario {
    /// Makes the pool: part of the run.
    let makePool: (HybridMemoryPool) throws(TensorPoolError) -> any TensorAllocator
    /// The work. It frees what it allocates, when it throws as well, and checks what its tensors hold.
    let run: (any TensorAllocator, HybridMemoryPool) throws(TensorPoolError) -> Void
    /// The kinds of calls that the run is there for.
    let expectedCalls: Set<BackendCall>
}
