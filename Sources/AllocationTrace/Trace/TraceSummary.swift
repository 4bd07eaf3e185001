/// The figures of a trace that do not depend on who replays it.
public struct TraceSummary: Sendable, Equatable, Codable {
    /// Allocations and frees.
    public internal(set) var eventCount = 0
    /// Allocations.
    public internal(set) var allocationCount = 0
    /// Frees.
    public internal(set) var freeCount = 0
    /// Threads that allocated or freed.
    public internal(set) var threadCount = 0
    /// Frees on another thread than the allocation's.
    public internal(set) var crossThreadFreeCount = 0
    /// The most requested bytes alive at one time, without any allocator's padding.
    public internal(set) var peakLiveBytes = 0
    /// The most blocks that were live at one time.
    public internal(set) var peakLiveBlocks = 0
    /// The sum of all requests, in bytes; `Int.max` where it does not fit.
    public internal(set) var allocatedBytes = 0
    /// The largest allocation in bytes.
    public internal(set) var largestAllocationBytes = 0
    /// Bytes that were not freed.
    public internal(set) var liveAtEndBytes = 0
    /// Blocks that were not freed.
    public internal(set) var liveAtEndBlocks = 0
}
