/// A finding from a pool's own figures, and the setting to change.
public struct PoolRecommendation: Sendable, Hashable {
    /// What a finding is about.
    public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// The guide's first common issue: caches serve less than half of the allocations.
        case lowHitRate
        /// The guide's second: the pool holds much that no tensor uses.
        case idleMemory
        /// The guide's third: allocation is too small a part of the time to matter.
        case notAllocationBound
        /// Memory was made ready that nobody asked for.
        case unusedPrewarming
        /// Rounding costs much.
        case padding
        /// The limit is near.
        case nearLimit
        /// Two threads freed the same handles.
        case doubleFrees
    }

    /// What it is about.
    public let kind: Kind
    /// What was found, with its figure.
    public let finding: String
    /// What to change.
    public let advice: String
}

extension PoolRecommendation: CustomStringConvertible {
    /// The finding and the advice.
    public var description: String { "\(finding): \(advice)" }
}

extension ObservablePool {
    /// What the pool's figures of this moment suggest. Empty where nothing stands out, or too little has happened.
    ///
    /// Cost: that of ``TensorAllocator/statistics()``.
    public func recommendations() -> [PoolRecommendation] {
        let engines = engines.all
        let age = Double(MonotonicClock.now() - (engines.map(\.startNanoseconds).min() ?? MonotonicClock.now()))
        return PoolRecommendation.derive(
            performanceMetrics(), ageNanoseconds: age, limit: self.engines.byteLimit)
    }
}

extension PoolRecommendation {
    /// Allocations below which shares say little.
    static let minimumAllocations = 1000

    /// The findings in figures.
    static func derive(_ metrics: PerformanceMetrics, ageNanoseconds age: Double, limit: Int?) -> [PoolRecommendation] {
        let figures = metrics.statistics
        var found: [PoolRecommendation] = []
        func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
        func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
        let idle = figures.cachedBytes + figures.prewarmedBytes

        if figures.allocations >= minimumAllocations, metrics.cacheEfficiency < 0.5 {
            found.append(
                PoolRecommendation(
                    kind: .lowHitRate,
                    finding:
                        "thread caches serve \(percent(metrics.cacheEfficiency)) of \(figures.allocations) allocations",
                    advice: figures.allocationsByStrategy[.standard, default: 0] > figures.allocations / 2
                        ? "the standard strategy caches up to 32 KiB only: use an optimized or adaptive pool, or applyPerformanceEnhancements"
                        : "raise threadCacheByteLimit and threadSpanCacheByteLimit, or free on the thread that allocates"
                ))
        }
        if idle > 16 << 20, idle > figures.liveBytes + figures.paddingBytes {
            found.append(
                PoolRecommendation(
                    kind: .idleMemory,
                    finding: "\(mebibytes(idle)) are held idle beside \(mebibytes(figures.liveBytes)) of live tensors",
                    advice:
                        "call trim() after the peak, set enableAdaptiveCleanup, or use the memoryConstrained profile"))
        }
        if figures.allocations >= minimumAllocations, age > 1e9, let average = metrics.averageAllocationNanoseconds {
            let share = average * Double(figures.allocations) / age
            if share < 0.01 {
                let thousandths = (share * 100_000).rounded() / 1000
                found.append(
                    PoolRecommendation(
                        kind: .notAllocationBound,
                        finding: "allocation took \(thousandths) % of the pool's life",
                        advice: "no setting of the pool will speed this program up: profile the rest of it"))
            }
        }
        if figures.allocations >= minimumAllocations, figures.prewarmedBytes > 4 << 20 {
            found.append(
                PoolRecommendation(
                    kind: .unusedPrewarming,
                    finding: "\(mebibytes(figures.prewarmedBytes)) of prewarmed memory were never used",
                    advice: "lower prewarming by as much"))
        }
        if figures.liveBytes > 16 << 20, figures.paddingBytes > figures.liveBytes / 4 {
            found.append(
                PoolRecommendation(
                    kind: .padding,
                    finding:
                        "padding adds \(percent(Double(figures.paddingBytes) / Double(figures.liveBytes))) to live tensors",
                    advice:
                        "many tensors lie just above a multiple of 16 KiB: pack several into one, or free weights together"
                ))
        }
        if let limit, figures.reservedBytes > limit / 10 * 9 {
            found.append(
                PoolRecommendation(
                    kind: .nearLimit,
                    finding: "\(mebibytes(figures.reservedBytes)) of the limit of \(mebibytes(limit)) are reserved",
                    advice: idle > limit / 10
                        ? "trim() frees \(mebibytes(idle)) of them" : "raise byteLimit, or hold fewer tensors at a time"
                ))
        }
        if figures.absorbedFrees > 0 {
            found.append(
                PoolRecommendation(
                    kind: .doubleFrees,
                    finding: "\(figures.absorbedFrees) handles were freed by two threads at the same instant",
                    advice: "free each tensor from one place; use TensorBuffer where the compiler shall see to it"))
        }
        return found
    }
}
