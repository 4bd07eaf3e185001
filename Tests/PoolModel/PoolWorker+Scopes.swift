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
private struct ToldPressure: MemoryPressureSource {
    let level: MemoryPressureLevel

    func read() -> [MemoryPressureReading] { [.other(name: "the model", level: level)] }
}
