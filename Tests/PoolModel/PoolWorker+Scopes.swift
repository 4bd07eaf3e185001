import Synchronization
import TensorPool

/// What begins and ends within one operation.
extension PoolWorker {
    /// Weights that are read-only or locked are read and freed as ever, and new ones are writable.
    mutating func protectWeights() throws(ModelFailure) {
        let place = 1 + choices.below(PoolWorld.placeOfAdaptive)
        guard let pool = world.entries.withLock({ $0[place].pool }) as? any ObservablePool else { return }
        do throws(TensorPoolError) {
            if choices.below(2) == 0 { try pool.lockWeights() }
            try pool.freezeWeights()
        } catch {
            // The system lets a process lock so many bytes, and have so many mappings.
            switch error {
            case .memoryLockRefused, .protectionRefused: break
            default: throw ModelFailure("refused: \(error)")
            }
        }
        for _ in 0..<choices.below(4) {
            try freeOne()
            try allocate()
        }
        pool.thawWeights()
        pool.unlockWeights()
    }

    /// The same on a pool of this worker alone: others write to their weights, which then must not be read-only.
    mutating func protectOwnWeights() throws(ModelFailure) {
        do throws(TensorPoolError) {
            let pool = try OptimizedTensorMemoryPool(world.base, configuration: world.configuration(&choices))
            var weights: [ModelBuffer] = []
            for _ in 0...choices.below(4) {
                let buffer = try pool.allocate(
                    byteCount: byteCount(), alignment: 64, zeroed: false, traits: TensorTraits(role: .weight))
                weights.append(ModelBuffer(buffer, PoolWorld.placeOfPlan, 0))
                weights[weights.count - 1].fill(choices.filler())
            }
            try pool.lockWeights()
            try pool.freezeWeights()
            guard weights.allSatisfy(\.isIntact) else { throw .unsupportedSystem("contents changed") }
            weights.removeFirst()
            pool.thawWeights()
            for weight in weights { weight.fill(choices.filler()) }
        } catch {
            switch error {
            case .memoryLockRefused, .protectionRefused: break
            default: try accept(error)
            }
        }
    }

    /// Every tensor with a handle is listed, of pools that are gone too.
    func listTensors() throws(ModelFailure) {
        let listed = world.base.liveTensors()
        let stale = world.base.staleTensors(idleFor: .zero)
        let (veryStale, leaks) = (world.base.staleTensors(idleFor: .seconds(1 << 40)), world.base.reportLeaks())
        guard isAlone else { return }
        let tensors = (live + world.mailbox.withLock { $0 }).filter { $0.place != PoolWorld.placeOfPlan }
        let handles = tensors.filter { $0 is ModelHandle }
        guard listed.map(\.byteCount) == handles.map(\.byteCount).sorted(by: >), stale.count == listed.count,
            veryStale.isEmpty, leaks.count <= tensors.count
        else { throw ModelFailure("\(listed.count) of \(handles.count) tensors with handles are listed") }
    }

    /// A monitor with a thread of its own. Where there are several workers it runs on until one of them ends it.
    mutating func runMonitor() throws(ModelFailure) {
        do throws(TensorPoolError) { try world.monitor.start() } catch {
            throw ModelFailure("the monitor does not start: \(error)")
        }
        world.monitor.look()
        if isAlone || choices.filler() % 2 == 0 { world.monitor.stop() }
    }

    /// A budget within the world's, for one tensor.
    mutating func nestBudget() throws(ModelFailure) {
        let (limit, byteCount) = (choices.below(1 << 17), byteCount())
        do throws(TensorPoolError) {
            let counted = try world.budget.withBudget(limit) { nested throws(TensorPoolError) in
                let buffer = try nested.allocate(byteCount: byteCount)
                let counted = nested.liveByteCount
                _ = consume buffer
                return nested.liveByteCount == 0 ? counted : -1
            }
            guard counted == byteCount, byteCount <= limit else { throw .unsupportedSystem("\(counted) bytes counted") }
        } catch {
            guard case .limitReached = error else { throw ModelFailure("\(byteCount) bytes within \(limit): \(error)") }
        }
    }

    /// A monitor that is told of a level looks once.
    mutating func meetPressure() throws(ModelFailure) {
        let levels: [MemoryPressureLevel] = [.low, .moderate, .high, .critical]
        let sources = MemoryPressureSources([ToldPressure(level: levels[choices.below(levels.count)])])
        do throws(TensorPoolError) {
            try MemoryPressureMonitor(world.base, sources: sources).look()
        } catch {
            throw ModelFailure("no monitor: \(error)")
        }
    }
}

/// Says what it was told.
struct ToldPressure: MemoryPressureSource {
    let level: MemoryPressureLevel

    func read() -> [MemoryPressureReading] { [.other(name: "the model", level: level)] }
}
