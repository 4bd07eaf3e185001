import TensorPool

/// Walks an adaptive pool through loading a model, inference, and training. One byte is written in every 4 KiB.
struct DemoWalk {
    /// How often the pool was used for a pattern, and what it decides afterwards.
    struct Visit {
        let pattern: WorkloadPattern
        /// Before the pattern ran and after, of each size and use that occurs.
        let decisions: [(use: TensorRole, before: AllocationDecision, after: AllocationDecision)]
        /// The pool's figures of this pattern alone.
        let reuseRate: Double
        let cacheHitRate: Double
        let allocations: Int
    }

    /// The weights of one layer of the patterns' transformer, in bytes, and its embeddings.
    static let weightSizes = [768 * 768 * 4 * 4, 768 * 3072 * 4 * 2, 30_522 * 768 * 4]

    let pool: AdaptiveTensorMemoryPool
    private var nextID: UInt64 = 0

    init() throws {
        pool = try AdaptiveTensorMemoryPool.make(isPrewarmed: true)
    }

    /// Allocates the weights, and keeps them.
    mutating func loadWeights() throws -> [(handle: MemoryHandle, decision: AllocationDecision)] {
        try Self.weightSizes.map { byteCount in
            let decision = pool.explain(byteCount: byteCount, isModelWeight: true)
            return (try allocate(byteCount, isModelWeight: true, isTemporary: false), decision)
        }
    }

    /// Repeats a pattern's step.
    mutating func repeatSteps(_ steps: Int, of pattern: WorkloadPattern, progress: Progress) throws -> Visit {
        let uses = Self.uses(in: pattern)
        let before = uses.map { explain($0) }
        let start = pool.statistics()
        for step in 0..<steps {
            if step % 64 == 0 { progress.show(pattern.name, step, of: steps, "step") }
            try runStep(pattern)
        }
        let end = pool.statistics()
        let rates = end.rates(since: start)
        return Visit(
            pattern: pattern,
            decisions: uses.indices.map { (uses[$0].role, before[$0], explain(uses[$0])) },
            reuseRate: rates.reuse, cacheHitRate: rates.cacheHit, allocations: end.allocations - start.allocations)
    }

    /// Frees tensors by their handles.
    func free(_ handles: [MemoryHandle]) throws {
        for handle in handles { try pool.deallocateTensor(id: handle.tensorID, handle) }
    }

    private mutating func runStep(_ pattern: WorkloadPattern) throws {
        var alive: [Int: MemoryHandle] = [:]
        for event in pattern.events {
            switch event {
            case .allocate(let tensor, let byteCount, let isTemporary):
                alive[tensor] = try allocate(byteCount, isModelWeight: false, isTemporary: isTemporary)
            case .free(let tensor):
                if let handle = alive.removeValue(forKey: tensor) { try free([handle]) }
            }
        }
    }

    private mutating func allocate(
        _ byteCount: Int, isModelWeight: Bool, isTemporary: Bool
    ) throws -> MemoryHandle {
        nextID += 1
        let handle = try pool.allocateTensor(
            id: nextID, byteCount: byteCount, device: .cpu, isModelWeight: isModelWeight, isTemporary: isTemporary)
        // Memory that nobody writes to is never there, and a trim of it would give nothing back. The tensor is alive.
        let bytes = unsafe handle.bytes
        for offset in stride(from: 0, to: byteCount, by: 4096) { unsafe bytes[offset] = 1 }
        return handle
    }

    private struct Use: Hashable {
        let byteCount: Int
        let role: TensorRole
    }

    /// Each size and role that occurs, smallest first.
    private static func uses(in pattern: WorkloadPattern) -> [Use] {
        let all = pattern.events.compactMap { event -> Use? in
            guard case .allocate(_, let byteCount, let isTemporary) = event else { return nil }
            return Use(byteCount: byteCount, role: isTemporary ? .temporary : .activation)
        }
        return Set(all).sorted { ($0.byteCount, $0.role.rawValue) < ($1.byteCount, $1.role.rawValue) }
    }

    private func explain(_ use: Use) -> AllocationDecision {
        pool.explain(byteCount: use.byteCount, isTemporary: use.role == .temporary)
    }
}
