/// What sampling told about the tensors of one size category.
public struct CategoryAnalysis: Sendable, Hashable {
    /// The category.
    public let category: TensorSizeCategory
    /// Allocations in it.
    public let allocations: Int
    /// The share of all allocations, 0 to 1.
    public let share: Double
    /// How many tensors were followed from allocation to free.
    public let lifetimeSamples: Int
    /// Nanoseconds that the followed tensors lived on average; nil where none was.
    public let averageLifetimeNanoseconds: Double?
    /// Nanoseconds that the longest-lived of them lived; nil where none was.
    public let longestLifetimeNanoseconds: Double?
    /// The average size in bytes of the followed tensors; nil where none was.
    public let averageByteCount: Double?
}

extension ObservablePool {
    /// Sizes and lifetimes by category. Lifetimes are there where the pool's configuration has
    /// ``OptimizedTensorPoolConfig/enableStatisticalAnalysis``: one in 2,048 hits of a size is followed to its free.
    public func workloadAnalysis() -> [CategoryAnalysis] {
        let statistics = statistics()
        let samples = engines.all.map { $0.samples() }
        return TensorSizeCategory.allCases.map { category in
            let lifetimes = samples.map { $0.lifetimes[category.rawValue] }
            let count = lifetimes.reduce(0) { $0 + $1.count }
            let allocations = statistics.allocationsByCategory[category] ?? 0
            func average(_ value: (AllocationSamples.Lifetimes) -> Double) -> Double? {
                count > 0 ? lifetimes.reduce(0) { $0 + value($1) } / Double(count) : nil
            }
            return CategoryAnalysis(
                category: category, allocations: allocations,
                share: statistics.allocations > 0 ? Double(allocations) / Double(statistics.allocations) : 0,
                lifetimeSamples: count, averageLifetimeNanoseconds: average(\.nanoseconds),
                longestLifetimeNanoseconds: count > 0 ? lifetimes.map(\.longestNanoseconds).max() : nil,
                averageByteCount: average { Double($0.byteCount) })
        }
    }
}
