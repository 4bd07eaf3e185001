/// Turns recorded addresses into a trace of dense block slots, and repairs what is not a legal history.
///
/// Readers of any format feed it in recorded order. Thread-safety: none. Cost: a hash table look-up an event, and
/// about 60 bytes for each block alive.
public struct AllocationTraceBuilder: ~Copyable {
    /// A bound that the recorded history does not keep to.
    public enum LimitExceeded: Error, Equatable, Sendable {
        case events(limit: Int)
        case threads(limit: Int)
        /// Live bytes above what any 64-bit machine can address.
        case liveBytes(limit: Int)
    }

    /// The address space of x86-64 with five-level page tables: no real history has more alive.
    public static let maximumLiveBytes = 1 << 57
    /// As many threads as an event's thread number can tell apart.
    public static let maximumThreads = Int(UInt16.max) + 1

    private struct LiveBlock {
        let byteCount: Int
        let slot: UInt32
        let thread: UInt16
    }

    private let maximumEvents: Int
    private var events: [TraceEvent] = []
    private var live: [UInt64: LiveBlock] = [:]
    private var freeSlots: [UInt32] = []
    private var threads: [UInt64: UInt16] = [:]
    private var liveBytes = 0
    private var summary = TraceSummary()
    /// Readers count here what never becomes an event.
    var irregularities = TraceIrregularities()

    /// - Parameter maximumEvents: at most 2^32, the number of slots that an event can name.
    public init(maximumEvents: Int) {
        self.maximumEvents = min(maximumEvents, Int(UInt32.max))
    }

    /// The events taken so far.
    public var eventCount: Int { events.count }

    /// Records an allocation. Where the address is still live, its block is freed first.
    public mutating func allocate(address: UInt64, byteCount: Int, thread: UInt64) throws(LimitExceeded) {
        guard byteCount > 0 else {
            irregularities.emptyAllocations += 1
            return
        }
        let threadNumber = try number(ofThread: thread)
        if let lost = live.removeValue(forKey: address) {
            irregularities.reusedLiveAddresses += 1
            try release(lost, on: threadNumber)
        }
        guard byteCount <= Self.maximumLiveBytes - liveBytes else {
            throw .liveBytes(limit: Self.maximumLiveBytes)
        }
        let slot = freeSlots.popLast() ?? UInt32(live.count)
        try append(.allocate, slot: slot, byteCount: byteCount, thread: threadNumber)
        live[address] = LiveBlock(byteCount: byteCount, slot: slot, thread: threadNumber)

        liveBytes += byteCount
        summary.allocationCount += 1
        summary.peakLiveBytes = max(summary.peakLiveBytes, liveBytes)
        summary.peakLiveBlocks = max(summary.peakLiveBlocks, live.count)
        summary.largestAllocationBytes = max(summary.largestAllocationBytes, byteCount)
        let (sum, overflow) = summary.allocatedBytes.addingReportingOverflow(byteCount)
        summary.allocatedBytes = overflow ? .max : sum
    }

    /// Records a free. A free of nothing is counted and left out.
    /// - Parameter byteCount: the recorded size, compared with the allocation's.
    public mutating func free(address: UInt64, byteCount: Int, thread: UInt64) throws(LimitExceeded) {
        guard let block = live.removeValue(forKey: address) else {
            // The free of an allocation of no bytes, which was counted there.
            if byteCount > 0 { irregularities.unmatchedFrees += 1 }
            return
        }
        if block.byteCount != byteCount { irregularities.mismatchedSizes += 1 }
        try release(block, on: number(ofThread: thread))
    }

    /// The trace of what was recorded.
    public consuming func finish() -> AllocationTrace {
        summary.eventCount = events.count
        summary.threadCount = threads.count
        summary.liveAtEndBytes = liveBytes
        summary.liveAtEndBlocks = live.count
        let releases = live.values.sorted { $0.slot < $1.slot }.map {
            TraceEvent(kind: .free, slot: $0.slot, byteCount: $0.byteCount, thread: $0.thread)
        }
        return AllocationTrace(
            events: events, releases: releases, slotCount: summary.peakLiveBlocks, summary: summary,
            irregularities: irregularities)
    }

    private mutating func release(_ block: LiveBlock, on thread: UInt16) throws(LimitExceeded) {
        try append(.free, slot: block.slot, byteCount: block.byteCount, thread: thread)
        freeSlots.append(block.slot)
        liveBytes -= block.byteCount
        summary.freeCount += 1
        if block.thread != thread { summary.crossThreadFreeCount += 1 }
    }

    private mutating func append(
        _ kind: TraceEvent.Kind, slot: UInt32, byteCount: Int, thread: UInt16
    ) throws(LimitExceeded) {
        guard events.count < maximumEvents else { throw .events(limit: maximumEvents) }
        events.append(TraceEvent(kind: kind, slot: slot, byteCount: byteCount, thread: thread))
    }

    private mutating func number(ofThread thread: UInt64) throws(LimitExceeded) -> UInt16 {
        if let known = threads[thread] { return known }
        guard let number = UInt16(exactly: threads.count) else { throw .threads(limit: Self.maximumThreads) }
        threads[thread] = number
        return number
    }
}
