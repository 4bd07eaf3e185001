/// Turns recorded addresses into a trace of dense block slots, and repairs what is not a legal history.
///
/// Readers of any format feed it in recorded order. Thread-safety: none. Cost: a hash table look-up an event, and
/// about 80 bytes for each block alive.
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
        let tensorID: UInt64
        let slot: UInt32
        let thread: UInt16
    }

    /// The most events that are taken.
    let maximumEvents: Int
    let details: TraceDetails
    private var events: [TraceEvent] = []
    private var times: [Int64] = []
    private var addresses: [UInt64] = []
    private var tensorIDs: [UInt64] = []
    private var timeline = EventTimeline()
    private var live: [UInt64: LiveBlock] = [:]
    private var freeSlots: [UInt32] = []
    private var threadNumbers: [UInt64: UInt16] = [:]
    private var threadIDs: [UInt64] = []
    private var liveBytes = 0
    private var summary = TraceSummary()
    /// Readers add what the file has, at times from the same moment as the events'.
    var samples = PoolSamples()
    /// Readers count here what never becomes an event.
    var irregularities = TraceIrregularities()
    /// What recorded times count from, for a reader to say.
    var epoch = TraceClock.Epoch.recording
    /// Added to the first recorded time, for a reader whose times count from a moment that the file tells elsewhere.
    var baseNanoseconds: Int64 = 0
    /// Readers put names of threads here, by their ids. They bound how many.
    var threadNames: [UInt64: String] = [:]

    /// - Parameters:
    ///   - maximumEvents: at most 2^32, the number of slots that an event can name.
    ///   - details: what is kept beside the events.
    public init(maximumEvents: Int, details: TraceDetails = .all) {
        self.maximumEvents = min(maximumEvents, Int(UInt32.max))
        self.details = details
    }

    /// The events taken so far.
    public var eventCount: Int { events.count }

    /// Makes room for so many events, so that the arrays need not grow by copying.
    mutating func reserveCapacity(_ count: Int) {
        let count = min(count, maximumEvents)
        events.reserveCapacity(count)
        if details.contains(.times) { times.reserveCapacity(count) }
        if details.contains(.addresses) { addresses.reserveCapacity(count) }
    }

    /// Records an allocation. Where the address is still live, its block is freed first.
    /// - Parameters:
    ///   - time: in nanoseconds from any moment; nil where it is unknown.
    ///   - tensorID: 0 for none.
    public mutating func allocate(
        address: UInt64, byteCount: Int, thread: UInt64, time: Int64? = nil, tensorID: UInt64 = 0
    ) throws(LimitExceeded) {
        guard byteCount > 0 else {
            irregularities.emptyAllocations += 1
            return
        }
        let threadNumber = try number(ofThread: thread)
        let time = timeline.place(time)
        if let lost = live.removeValue(forKey: address) {
            irregularities.reusedLiveAddresses += 1
            try release(lost, address: address, on: threadNumber, time: time)
        }
        guard byteCount <= Self.maximumLiveBytes - liveBytes else {
            throw .liveBytes(limit: Self.maximumLiveBytes)
        }
        let slot = freeSlots.popLast() ?? UInt32(live.count)
        let event = TraceEvent(kind: .allocate, slot: slot, byteCount: byteCount, thread: threadNumber)
        try append(event, address: address, time: time, tensorID: tensorID)
        live[address] = LiveBlock(byteCount: byteCount, tensorID: tensorID, slot: slot, thread: threadNumber)

        liveBytes += byteCount
        summary.allocationCount += 1
        summary.peakLiveBytes = max(summary.peakLiveBytes, liveBytes)
        summary.peakLiveBlocks = max(summary.peakLiveBlocks, live.count)
        summary.largestAllocationBytes = max(summary.largestAllocationBytes, byteCount)
        let (sum, overflow) = summary.allocatedBytes.addingReportingOverflow(byteCount)
        summary.allocatedBytes = overflow ? .max : sum
    }

    /// Records a free. A free of nothing is counted and left out.
    /// - Parameters:
    ///   - byteCount: the recorded size, compared with the allocation's; nil where the recording has none.
    ///   - time: in nanoseconds from the same moment as the others; nil where it is unknown.
    public mutating func free(
        address: UInt64, byteCount: Int?, thread: UInt64, time: Int64? = nil
    ) throws(LimitExceeded) {
        guard let block = live.removeValue(forKey: address) else {
            // A free of no bytes belongs to an allocation of no bytes, which was counted there.
            if byteCount != 0 { irregularities.unmatchedFrees += 1 }
            return
        }
        if let byteCount, block.byteCount != byteCount { irregularities.mismatchedSizes += 1 }
        let threadNumber = try number(ofThread: thread)
        try release(block, address: address, on: threadNumber, time: timeline.place(time))
    }

    /// The trace of what was recorded.
    public consuming func finish() -> AllocationTrace {
        summary.eventCount = events.count
        summary.threadCount = threadIDs.count
        summary.liveAtEndBytes = liveBytes
        summary.liveAtEndBlocks = live.count
        irregularities.clockSteps += timeline.steps
        let releases = live.values.sorted { $0.slot < $1.slot }.map {
            TraceEvent(kind: .free, slot: $0.slot, byteCount: $0.byteCount, thread: $0.thread)
        }
        let threads = threadIDs.map { TraceThread(id: $0, name: threadNames[$0]) }
        return AllocationTrace(
            events: events, releases: releases, slotCount: summary.peakLiveBlocks, summary: summary,
            irregularities: irregularities, threads: threads, clock: clock, times: timeline.start == nil ? [] : times,
            addresses: addresses, tensorIDs: tensorIDs,
            samples: details.contains(.times) ? timeline.start.map { samples.from($0) } ?? [] : [])
    }

    private var clock: TraceClock {
        guard let start = timeline.start else { return TraceClock() }
        let (sum, overflow) = start.addingReportingOverflow(baseNanoseconds)
        return overflow ? TraceClock() : TraceClock(epoch: epoch, startNanoseconds: sum)
    }

    private mutating func release(
        _ block: LiveBlock, address: UInt64, on thread: UInt16, time: Int64
    ) throws(LimitExceeded) {
        let event = TraceEvent(kind: .free, slot: block.slot, byteCount: block.byteCount, thread: thread)
        try append(event, address: address, time: time, tensorID: block.tensorID)
        freeSlots.append(block.slot)
        liveBytes -= block.byteCount
        summary.freeCount += 1
        if block.thread != thread { summary.crossThreadFreeCount += 1 }
    }

    private mutating func append(
        _ event: TraceEvent, address: UInt64, time: Int64, tensorID: UInt64
    ) throws(LimitExceeded) {
        guard events.count < maximumEvents else { throw .events(limit: maximumEvents) }
        if details.contains(.times) { times.append(time) }
        if details.contains(.addresses) { addresses.append(address) }
        if details.contains(.tensorIDs), tensorID != 0 || !tensorIDs.isEmpty {
            if tensorIDs.isEmpty { tensorIDs = [UInt64](repeating: 0, count: events.count) }
            tensorIDs.append(tensorID)
        }
        events.append(event)
    }

    private mutating func number(ofThread thread: UInt64) throws(LimitExceeded) -> UInt16 {
        if let known = threadNumbers[thread] { return known }
        guard let number = UInt16(exactly: threadIDs.count) else { throw .threads(limit: Self.maximumThreads) }
        threadNumbers[thread] = number
        threadIDs.append(thread)
        return number
    }
}
