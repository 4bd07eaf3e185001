import Synchronization
package import TensorPool

/// What a pool did that the model says it must not do.
package struct ModelFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Pools of every kind on one limited base, and what the model knows of their tensors. Any number of workers use it.
package final class PoolWorld: Sendable {
    struct Entry: Sendable {
        var pool: any TensorAllocator
        var generation: Int
    }

    package static let limit = 48 << 20
    static let budgetLimit = 6 << 20
    static let placeOfAdaptive = 3
    static let placeOfPlan = 4
    static let placeOfBudget = 6
    static let placeCount = 7

    package let base: HybridMemoryPool
    /// The plan's, so that its slab is in no other pool's figures.
    let planBase: HybridMemoryPool
    let budget: BudgetedAllocator<HybridMemoryPool>
    let monitor: MemoryPressureMonitor
    let entries = Mutex<[Entry]>([])
    let shadow = Mutex(ShadowMap())
    let mailbox = Mutex<[ModelTensor]>([])
    /// Live bytes of the base's tensors, as the model counts them. Of use where one worker is alone.
    let liveBytes = Atomic<Int>(0)
    let liveTensors = Atomic<Int>(0)

    package init(_ choices: inout Choices) throws {
        base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit))
        // The model frees twice on purpose.
        base.setFindingHandler { if $0.isDamage { fatalError($0.description) } }
        planBase = try HybridMemoryPool()
        budget = BudgetedAllocator(base, byteLimit: Self.budgetLimit)
        monitor = try MemoryPressureMonitor(base, sources: MemoryPressureSources([ToldPressure(level: .moderate)]))
        for place in 0..<Self.placeCount {
            let pool = try makePool(place, &choices)
            entries.withLock { $0.append(Entry(pool: pool, generation: 0)) }
        }
    }

    func makePool(_ place: Int, _ choices: inout Choices) throws(TensorPoolError) -> any TensorAllocator {
        switch place {
        case 0: return base
        case Self.placeOfBudget: return budget
        case 1:
            let limits = [0, 4096, 256 << 10]
            let pool = try TensorMemoryPool(
                base,
                configuration: .init(
                    threadCacheByteLimit: limits[choices.below(3)], sharedCacheByteLimit: limits[choices.below(3)],
                    idleReleaseAfter: choices.below(2) == 0 ? .milliseconds(1) : nil))
            if choices.below(3) == 0 { try pool.applyPerformanceEnhancements() }
            return pool
        case 2: return try OptimizedTensorMemoryPool(base, configuration: configuration(&choices))
        case Self.placeOfAdaptive:
            var adaptive = AdaptiveConfiguration()
            adaptive.optimized = configuration(&choices)
            return try AdaptiveTensorMemoryPool(base, configuration: adaptive)
        case Self.placeOfPlan:
            // Places that overlap, as those of tensors that live one after the other do.
            let allocations = (0..<20).map { _ in
                StaticPlanLayout.Allocation(offset: 64 * choices.below(200), byteCount: 1 + choices.below(4000))
            }
            let layout = try StaticPlanLayout(allocations: allocations, byteCount: 1 << 20)
            return try StaticPlan(layout, upstream: planBase)
        default:
            let small = try TensorMemoryPool(base, configuration: .init(byteLimit: 256 << 10))
            return FallbackTensorAllocator(
                small, then: try OptimizedTensorMemoryPool(base, configuration: configuration(&choices)))
        }
    }

    /// Drops the pool of a place once nobody uses it; its tensors stay.
    func replace(_ place: Int, by pool: any TensorAllocator) {
        entries.withLock { $0[place] = Entry(pool: pool, generation: $0[place].generation + 1) }
    }

    func configuration(_ choices: inout Choices) -> OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig()
        configuration.hugePages = choices.below(4) == 0 ? .automatic : .never
        configuration.slabByteCount = 8 << 20
        configuration.prewarming = .init(verySmall: 64 << 10, small: 64 << 10, medium: 1 << 20, large: 0)
        configuration.enablePrewarming = choices.below(2) == 0
        configuration.enableCacheOptimization = choices.below(4) > 0
        configuration.enableAdaptiveCleanup = choices.below(2) == 0
        configuration.enableStatisticalAnalysis = choices.below(2) == 0
        configuration.enableSIMD = choices.below(2) == 0
        configuration.enableZeroCopyTransitions = choices.below(4) > 0
        configuration.threadSpanCacheByteLimit = choices.below(3) << 20
        configuration.scrubOnFree = choices.below(8) == 0
        configuration.debugging.usesGuardBytes = choices.below(8) == 0
        configuration.debugging.fillsMemory = choices.below(16) == 0
        configuration.debugging.tracksTensors = choices.below(16) == 0
        configuration.debugging.guardPageInterval = choices.below(8) == 0 ? 1 + choices.below(4000) : nil
        return configuration
    }

    /// Frees what nobody has taken from the mailbox, drops the pools, and checks that the bases have everything back.
    package func close() throws(ModelFailure) {
        monitor.stop()
        for tensor in mailbox.withLock({ exchange(&$0, with: []) }) { try free(tensor) }
        for entry in entries.withLock({ $0 }) { try Self.checkSums(entry.pool.statistics()) }
        let statistics = base.statistics()
        guard statistics.liveTensors == 0, statistics.liveBytes == 0, statistics.absorbedFrees == 0 else {
            throw ModelFailure("tensors are left: \(statistics)")
        }
        guard budget.liveByteCount == 0 else { throw ModelFailure("the budget counts freed tensors") }
        guard shadow.withLock({ $0.count }) == 0 else { throw ModelFailure("the shadow has tensors left") }
        entries.withLock { $0 = [] }
        base.trim()
        planBase.trim()
        guard base.reservedByteCount == 0, planBase.reservedByteCount == 0 else {
            throw ModelFailure("\(base.reservedByteCount) bytes are held by a base whose pools are gone")
        }
    }

    static func checkSums(_ statistics: PoolStatistics) throws(ModelFailure) {
        let sum =
            statistics.liveBytes + statistics.paddingBytes + statistics.cachedBytes + statistics.prewarmedBytes
        let least =
            [
                statistics.liveBytes, statistics.paddingBytes, statistics.cachedBytes, statistics.prewarmedBytes,
                statistics.liveTensors, statistics.peakLiveBytes - statistics.liveBytes,
            ].min() ?? 0
        guard sum == statistics.reservedBytes, least >= 0,
            statistics.liveTensors == statistics.allocations - statistics.deallocations
        else { throw ModelFailure("the figures do not add up: \(statistics)") }
    }

    // MARK: - Tensors

    func enter(_ tensor: ModelTensor) throws(ModelFailure) {
        let (address, byteCount) = (tensor.address, tensor.byteCount)
        guard shadow.withLock({ $0.insert(address, byteCount) }) else {
            throw ModelFailure("two tensors overlap at \(address), \(byteCount) bytes")
        }
        guard tensor.place != Self.placeOfPlan else { return }
        liveBytes.add(byteCount, ordering: .relaxed)
        liveTensors.add(1, ordering: .relaxed)
    }

    /// Takes a tensor out, before its memory can be another's.
    func leave(_ tensor: ModelTensor) throws(ModelFailure) {
        let (address, byteCount) = (tensor.address, tensor.byteCount)
        guard tensor.isIntact else { throw ModelFailure("the contents of \(byteCount) bytes changed") }
        guard shadow.withLock({ $0.remove(address, byteCount) }) else {
            throw ModelFailure("the shadow lost \(byteCount) bytes at \(address)")
        }
        guard tensor.place != Self.placeOfPlan else { return }
        liveBytes.subtract(byteCount, ordering: .relaxed)
        liveTensors.subtract(1, ordering: .relaxed)
    }

    /// The pool that a tensor came from, where that is still there.
    func pool(of tensor: ModelTensor) -> (any TensorAllocator)? {
        entries.withLock { $0[tensor.place].generation == tensor.generation ? $0[tensor.place].pool : nil }
    }

    func free(_ tensor: consuming ModelTensor) throws(ModelFailure) {
        try leave(tensor)
        guard let tensor = tensor as? ModelHandle else { return }
        let handle = tensor.handle
        do throws(TensorPoolError) {
            try free(tensor)
        } catch {
            throw ModelFailure("a live tensor was not freed: \(error)")
        }
        // What was freed stays freed, whoever is asked; the base looks at all its engines, so it is asked now and then.
        if handle.tensorID % 8 == 0, Self.isFreed(handle, by: base) {
            throw ModelFailure("freed twice by the base: \(handle)")
        }
        do throws(TensorPoolError) { try free(tensor) } catch { return }
        throw ModelFailure("freed twice: \(handle)")
    }

    private func free(_ tensor: ModelHandle) throws(TensorPoolError) {
        let (id, handle) = (tensor.handle.tensorID, tensor.handle)
        switch tensor.keeper {
        case .anyPool: try (pool(of: tensor) ?? base).deallocateTensor(id: id, handle)
        case .plan(let plan): try plan.deallocateTensor(id: id, handle)
        case .budget: try budget.deallocateTensor(id: id, handle)
        }
    }

    /// Whether a pool frees a handle that it must not free.
    static func isFreed(_ handle: MemoryHandle, id: UInt64? = nil, by pool: any TensorAllocator) -> Bool {
        do throws(TensorPoolError) {
            try pool.deallocateTensor(id: id ?? handle.tensorID, handle)
            return true
        } catch {
            return false
        }
    }
}

/// Puts a value in place of another, which it returns.
private func exchange<Value>(_ value: inout Value, with next: Value) -> Value {
    defer { value = next }
    return value
}
