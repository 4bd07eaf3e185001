import Synchronization
import TensorPool

/// What is done beside allocating and freeing.
extension PoolWorker {
    mutating func resize() throws(ModelFailure) {
        guard !live.isEmpty else { return }
        let index = choices.below(live.count)
        let tensor = live[index]
        let byteCount = byteCount()
        let pool = world.pool(of: tensor) ?? world.base
        let (before, pattern) = (tensor.byteCount, tensor.pattern)
        // Of a pool that is gone, buffers can move to another.
        let isPoolThere = world.pool(of: tensor) != nil
        let canMove = tensor is ModelBuffer && tensor.place != PoolWorld.placeOfPlan
        guard isPoolThere || canMove else { return }
        try world.leave(tensor)
        do throws(TensorPoolError) {
            if let tensor = tensor as? ModelBuffer {
                try tensor.resize(in: pool, to: byteCount)
            } else if let tensor = tensor as? ModelHandle {
                let old = tensor.handle
                tensor.become(try pool.reallocateTensor(id: old.tensorID, old, byteCount: byteCount))
            }
        } catch {
            guard tensor.byteCount == before, tensor.isIntact else {
                throw ModelFailure("changed by a refused resizing to \(byteCount) bytes")
            }
            try world.enter(tensor)
            return try accept(error)
        }
        guard tensor.byteCount == byteCount else { throw ModelFailure("not resized to \(byteCount)") }
        guard unsafe Fixtures.holds(tensor.bytes, first: min(before, byteCount), of: pattern, writtenTo: before) else {
            throw ModelFailure("contents lost from \(before) to \(byteCount) bytes")
        }
        try world.enter(tensor)
        tensor.fill(pattern)
    }

    mutating func askForNonsense() throws(ModelFailure) {
        let pool = world.entries.withLock { $0[choices.below(PoolWorld.placeCount)].pool }
        let (byteCount, alignment, device): (Int, Int, TensorDevice) =
            switch choices.below(4) {
            case 0: (-choices.below(1 << 30), 64, .cpu)
            case 1: (.max - choices.below(1 << 30), 64, .cpu)
            case 2: (1 + choices.below(1 << 20), 3 + 4 * choices.below(100), .cpu)
            default: (1 + choices.below(1 << 20), 64, .gpu(choices.below(4)))
            }
        var isServed = true
        do throws(TensorPoolError) {
            _ = try pool.allocate(
                byteCount: byteCount, alignment: alignment, zeroed: false, traits: TensorTraits(device: device))
        } catch {
            isServed = false
        }
        if isServed { throw ModelFailure("served: \(byteCount) bytes at \(alignment) on \(device)") }
        guard !live.isEmpty, let tensor = live[choices.below(live.count)] as? ModelHandle else { return }
        if PoolWorld.isFreed(tensor.handle, id: tensor.handle.tensorID &+ 1, by: pool) {
            throw ModelFailure("freed by a wrong id")
        }
        // The base frees all its pools' tensors; a pool only its own.
        guard pool is TensorMemoryPool || pool is OptimizedTensorMemoryPool, tensor.keeper.isAnyPool,
            tensor.maker != ObjectIdentifier(pool as AnyObject)
        else { return }
        if PoolWorld.isFreed(tensor.handle, by: pool) { throw ModelFailure("freed by another pool") }
    }

    mutating func makeWeight() throws(ModelFailure) {
        guard !live.isEmpty, let tensor = live[choices.below(live.count)] as? ModelHandle,
            let pool = world.pool(of: tensor)
        else { return }
        let old = tensor.handle
        try world.leave(tensor)
        do throws(TensorPoolError) {
            if let pool = pool as? OptimizedTensorMemoryPool {
                tensor.become(try pool.makeWeight(id: old.tensorID, old).handle)
            } else if let pool = pool as? AdaptiveTensorMemoryPool {
                tensor.become(try pool.makeWeight(id: old.tensorID, old).handle)
            }
        } catch {
            try world.enter(tensor)
            return try accept(error)
        }
        guard tensor.isIntact else { throw ModelFailure("contents lost on the way to a weight") }
        try world.enter(tensor)
    }

    mutating func observe() throws(ModelFailure) {
        let place = choices.below(PoolWorld.placeCount)
        let pool = world.entries.withLock { $0[place].pool }
        switch choices.below(32) {
        case 0..<5:
            let statistics = pool.statistics()
            if isAlone { try PoolWorld.checkSums(statistics) }
        case 5:
            let statistics = world.base.statistics()
            guard isAlone else { break }
            try PoolWorld.checkSums(statistics)
            guard statistics.liveBytes == world.liveBytes.load(ordering: .relaxed),
                statistics.liveTensors == world.liveTensors.load(ordering: .relaxed),
                statistics.reservedBytes == world.base.reservedByteCount
            else { throw ModelFailure("the base's figures are not the model's: \(statistics)") }
        case 6:
            guard let pool = pool as? any ObservablePool else { break }
            _ = pool.performanceMetrics()
            _ = pool.recommendations()
            (pool as? OptimizedTensorMemoryPool).map { _ = $0.workloadAnalysis() }
            (pool as? AdaptiveTensorMemoryPool).map { _ = $0.performanceStatistics() }
        case 7:
            (pool as? AdaptiveTensorMemoryPool).map { _ = $0.explain(byteCount: choices.below(1 << 24)).description }
        default:
            guard !live.isEmpty, let tensor = live[choices.below(live.count)] as? ModelHandle,
                let pool = world.pool(of: tensor) as? any ObservablePool
            else { break }
            do throws(TensorPoolError) {
                try pool.recordAccess(id: tensor.handle.tensorID, tensor.handle)
            } catch {
                throw ModelFailure("a live tensor is not known: \(error)")
            }
            guard choices.below(8) == 0 else { break }
            let id = tensor.handle.tensorID
            guard pool.liveTensors(id: id).contains(where: { $0.byteCount == tensor.byteCount }) else {
                throw ModelFailure("a live tensor is not listed")
            }
        }
        guard world.base.reservedByteCount <= PoolWorld.limit, world.budget.liveByteCount <= PoolWorld.budgetLimit
        else { throw ModelFailure("over the limit") }
    }

    /// What costs the system's time: one in some.
    mutating func giveBack() throws(ModelFailure) {
        let pool = world.entries.withLock { $0[choices.below(PoolWorld.placeCount)].pool }
        // Beside what others do here, a trim costs a page fault for each page that is used again.
        switch choices.below(160) {
        case 0..<4:
            pool.trim()
            guard isAlone, pool is TensorMemoryPool || pool is OptimizedTensorMemoryPool else { break }
            let statistics = pool.statistics()
            guard statistics.cachedBytes + statistics.prewarmedBytes == 0 else {
                throw ModelFailure("kept after a trim: \(statistics)")
            }
        case 4..<8: (pool as? any ObservablePool).map { _ = $0.trim(to: choices.below(1 << 24)) }
        case 8..<10: world.base.releaseIdle()
        case 10: world.base.trim()
        case 11..<14:
            guard let pool = pool as? OptimizedTensorMemoryPool else { break }
            do throws(TensorPoolError) {
                try pool.prewarm(.init(verySmall: 32 << 10, small: choices.below(1 << 17), medium: 0, large: 1 << 20))
            } catch {
                try accept(error)
            }
        case 14: _ = world.base.retainedByteCount()
        default: break
        }
    }

    mutating func changeTheWorld() throws(ModelFailure) {
        switch choices.below(60) {
        case 0..<4:
            let strategies = [AllocationStrategy.standard, .optimized, nil]
            let pool = world.entries.withLock { $0[PoolWorld.placeOfAdaptive].pool }
            (pool as? AdaptiveTensorMemoryPool)?.forcedStrategy = strategies[choices.below(3)]
        case 4..<8:
            let pool = world.entries.withLock { $0[PoolWorld.placeOfPlan].pool }
            (pool as? StaticPlan<HybridMemoryPool>)?.beginStep()
        case 8:
            // A pool goes, its tensors stay.
            let place = 1 + choices.below(PoolWorld.placeOfBudget - 1)
            do throws(TensorPoolError) {
                let pool =
                    place == PoolWorld.placeOfAdaptive && choices.below(4) == 0
                    ? try TensorPoolMigrationHelper.createBestPerformancePool(world.base)
                    : try world.makePool(place, &choices)
                world.replace(place, by: pool)
            } catch {
                try accept(error)
            }
        case 9:
            let answer: LimitResponse = choices.below(2) == 0 ? .retry : .fail
            if choices.below(2) == 0 {
                world.base.setLimitHandler(nil)
            } else {
                world.base.setLimitHandler { _ in answer }
            }
        case 10: if isAlone { try protectWeights() } else { try protectOwnWeights() }
        case 11..<15: try nestBudget()
        case 15: try meetPressure()
        // These draw nothing: kept inputs of the fuzzer mean what they meant where these did nothing.
        case 16: try listTensors()
        case 17: try runMonitor()
        default: break
        }
    }
}

extension ModelHandle.Keeper {
    fileprivate var isAnyPool: Bool {
        if case .anyPool = self { return true }
        return false
    }
}
