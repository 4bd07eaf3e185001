/// What a recorded file held that is not part of a legal history. Each is counted and survived.
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
    /// Events that stood behind later ones in a file whose events are put in order of time.
    public internal(set) var reorderedEvents = 0
    /// Times before their predecessor's in a file whose order counts. The event gets its predecessor's time, and a
    /// step back of a second or more moves all that follows.
    public internal(set) var clockSteps = 0
    /// Times that could not be read; the event gets its predecessor's.
    public internal(set) var unreadableTimes = 0
    /// Memory events that lack their time, address or size, or whose are out of range. Left out.
    public internal(set) var incompleteEvents = 0
    /// Memory events of other devices than the one read. Left out.
    public internal(set) var otherDeviceEvents = 0
    /// Memory events of other processes than the first that has any, whose addresses are not comparable. Left out.
    public internal(set) var otherProcessEvents = 0
    /// Events that the recorder says it could not keep.
    public internal(set) var droppedEvents = 0
    /// Places at which a binary trace is damaged. Reading went on at the next whole chunk.
    public internal(set) var damagedChunks = 0
    /// The file ends early: within a row or an event, within its compressed data, or before its closing mark.
    public internal(set) var isTruncated = false

    /// Whether the file was a complete legal history.
    public var isEmpty: Bool { self == TraceIrregularities() }
}
