/// The rule that sends a tensor to a strategy.
public enum AllocationRule: String, Sendable, Hashable, CaseIterable, Codable {
    /// Model weights are optimized.
    case modelWeight
    /// The pool was told to use one strategy.
    case forced
    /// Up to ``AdaptiveConfiguration/standardCeiling``: standard.
    case upToStandardCeiling
    /// Above ``AdaptiveConfiguration/optimizedFloor``: optimized.
    case aboveOptimizedFloor
    /// Short-lived and not large: standard.
    case temporary
    /// What measured better.
    case measured
}

/// What an adaptive pool decides for a tensor, and why.
public struct AllocationDecision: Sendable, Hashable {
    /// The strategy.
    public let strategy: AllocationStrategy
    /// The rule that led to it.
    public let rule: AllocationRule
    /// The size asked about, in bytes.
    public let byteCount: Int
    /// Nanoseconds a use in the standard strategy, first touch included: the median of timed allocations and their frees that
    /// the thread's cache did not serve, each times the share of such; nil where none was timed.
    public let standardNanoseconds: Double?
    /// The same in the optimized strategy, without the first touch.
    public let optimizedNanoseconds: Double?
    /// Nanoseconds that the optimized strategy must save per use for the pages it keeps idle.
    public let idleNanoseconds: Double
    /// How often this size was seen off the hot path.
    public let visits: Int
    /// How often the two strategies were compared.
    public let comparisons: Int
}

extension AllocationDecision: CustomStringConvertible {
    /// The strategy, the rule and the figures, in a sentence.
    public var description: String {
        "\(byteCount) bytes: \(strategy), because \(reason)"
    }

    /// The rule and the figures, in words.
    public var reason: String {
        switch rule {
        case .modelWeight: "it is a model weight"
        case .forced: "the strategy is forced"
        case .upToStandardCeiling: "the standard pool caches sizes up to its ceiling, and keeps less"
        case .aboveOptimizedFloor: "a tensor this large costs page faults wherever it is not kept"
        case .temporary: "it is temporary and not large"
        case .measured:
            if comparisons > 0, let standardNanoseconds, let optimizedNanoseconds {
                """
                what the thread's cache cannot serve takes \(standardNanoseconds.wholeNumber()) ns a use standard, page \
                faults included, and \(optimizedNanoseconds.wholeNumber()) ns optimized, which must save \
                \(idleNanoseconds.wholeNumber()) ns for the pages it keeps idle (\(comparisons) comparisons)
                """
            } else {
                """
                the thread's cache or the shared heap serves it: it was seen off the hot path too seldom to be measured \
                (\(visits) times)
                """
            }
        }
    }
}

extension AdaptiveTensorMemoryPool {
    /// Tells where a tensor would go, by which rule, and the figures behind it.
    ///
    /// Cost: under a microsecond; nothing is allocated or changed.
    public func explain(byteCount: Int, isModelWeight: Bool = false, isTemporary: Bool = false) -> AllocationDecision {
        let traits = TensorTraits(device: .cpu, isModelWeight: isModelWeight, isTemporary: isTemporary)
        return routes.decision(byteCount: byteCount, role: traits.role)
    }
}
