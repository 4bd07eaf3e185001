/// What a recorded file held that is not part of a legal history. Each is counted and left out of the events.
public struct TraceIrregularities: Sendable, Equatable, Codable {
    /// Frees of an address at which nothing was live: the allocation came before the recording, or got lost.
    public internal(set) var unmatchedFrees = 0
    /// Allocations at an address that was still live: its free got lost, and is put in.
    public internal(set) var reusedLiveAddresses = 0
    /// Rows that say an allocation failed.
    public internal(set) var failedAllocations = 0
    /// Allocations of no bytes.
    public internal(set) var emptyAllocations = 0
    /// Frees whose recorded size is not the allocation's; the allocation's is used.
    public internal(set) var mismatchedSizes = 0
    /// The file ends within a row, or within its compressed data.
    public internal(set) var isTruncated = false

    /// Whether the file was a complete legal history.
    public var isEmpty: Bool { self == TraceIrregularities() }
}
