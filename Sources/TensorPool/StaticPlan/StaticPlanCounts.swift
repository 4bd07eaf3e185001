internal import Synchronization

/// What a ``StaticPlan`` did.
public struct StaticPlanCounts: Sendable, Hashable {
    /// Allocations served from the slab.
    public let served: Int
    /// Times that the sequence was complete or started anew.
    public let steps: Int
    /// Requests that were not the next one of the sequence: served after passing some places, or by the upstream pool.
    public let departures: Int
    /// Requests that were planned, but whose place a tensor still held; served by the upstream pool.
    public let lateFrees: Int
    /// Requests of the owner that the upstream pool got because they departed or their place was taken.
    public let fallbacks: Int
    /// Requests of threads that did not own the plan; served by the upstream pool.
    public let otherThreads: Int

    init(_ core: PlanCore) {
        served = core.counts.servedByCategory.values.reduce(0, +)
        steps = core.counts.steps.current
        departures = core.counts.departures.current
        lateFrees = core.counts.lateFrees.current
        fallbacks = core.counts.fallbacks.current
        otherThreads = core.counts.otherThreads.load(ordering: .relaxed)
    }
}
