/// Replays a trace on an allocator, round after round, in recorded order on the calling thread.
///
/// Each round starts and ends with nothing alive. Thread-safety: none; one replay at a time in a process if resident
/// memory and page faults are to mean anything, since both are the process's. Safe: it alone owns the slots, and the
/// trace is a legal history, so a slot holds a block exactly when an event says so.
@safe
public struct Replay<Block: ReplayBlock & ~Copyable>: ~Copyable {
    /// What is replayed.
    public let trace: AllocationTrace
    /// What is written to each block.
    public let touch: Touch
    /// Where blocks come from.
    public let source: Block.Source
    /// The process's resident bytes before the first round, with the source built and the trace loaded.
    public let residentBytesBefore: Int
    /// Whether each round's resident peak is its own.
    public let residentPeakSource: ResidentPeakSource

    @usableFromInline let slots: UnsafeMutablePointer<Block>

    /// Prepares a replay. Cost: memory for one block description for each slot.
    /// - Throws: ``ReplayError/exceedsMemory(neededBytes:availableBytes:)`` where touching would take more than there is.
    public init(_ trace: AllocationTrace, on source: Block.Source, touch: Touch) throws(ReplayError) {
        if touch != .none, let available = ProcessMemory.availableBytes, trace.summary.peakLiveBytes > available {
            throw .exceedsMemory(neededBytes: trace.summary.peakLiveBytes, availableBytes: available)
        }
        self.trace = trace
        self.touch = touch
        self.source = source
        unsafe slots = UnsafeMutablePointer<Block>.allocate(capacity: max(trace.slotCount, 1))
        // Its own page faults must not count as the allocator's. Any bytes will do in memory that holds no block yet.
        let byteCount = max(trace.slotCount, 1) * MemoryLayout<Block>.stride
        unsafe TouchPages.touch(UnsafeMutableRawPointer(slots), byteCount: byteCount)
        residentPeakSource = ProcessMemory.resetResidentPeak() ? .round : .process
        residentBytesBefore = ProcessMemory.residentBytes
    }

    deinit {
        unsafe slots.deallocate()
    }

    /// Replays the whole trace once, then frees what the trace leaves alive, outside the measurement.
    ///
    /// Where the allocator fails, all that this round allocated is given back before the error is thrown.
    @inlinable public mutating func runRound() throws(ReplayError) -> ReplayRound {
        let measurement = RoundMeasurement()
        switch touch {
        case .none: try runEvents(touching: TouchNothing.self)
        case .page: try runEvents(touching: TouchPages.self)
        case .full: try runEvents(touching: TouchBytes.self)
        }
        let round = measurement.finish()
        try release(trace.releases, afterEvent: trace.events.count)
        return round
    }

    /// Replays several rounds, and tells after each how many are done.
    @inlinable public mutating func run(
        rounds: Int, afterEach report: (_ roundsDone: Int) -> Void = { _ in }
    ) throws(ReplayError) -> ReplayReport {
        var done: [ReplayRound] = []
        for _ in 0..<rounds {
            done.append(try runRound())
            report(done.count)
        }
        return ReplayReport(
            rounds: done, residentBytesBefore: residentBytesBefore, residentPeakSource: residentPeakSource)
    }

    @inlinable func runEvents<Action: TouchAction>(touching: Action.Type) throws(ReplayError) {
        let events = trace.events.span
        for index in events.indices {
            let event = events[index]
            let id = Int(event.slot)
            // The slot is within the table, empty at an allocation, and full at a free: see `AllocationTrace`.
            if event.kind == .allocate {
                do {
                    let block = try Block.allocate(byteCount: event.byteCount, id: id, from: source)
                    unsafe Action.touch(block.address, byteCount: event.byteCount)
                    unsafe (slots + id).initialize(to: block)
                } catch {
                    throw abandon(atEvent: index, with: "\(error)")
                }
            } else {
                do {
                    try unsafe (slots + id).move().deallocate(byteCount: event.byteCount, id: id, to: source)
                } catch {
                    throw abandon(atEvent: index, with: "\(error)")
                }
            }
        }
    }

    /// Frees the blocks of the given free events.
    @usableFromInline func release(_ frees: [TraceEvent], afterEvent index: Int) throws(ReplayError) {
        var firstFailure: ReplayError?
        for event in frees {
            let id = Int(event.slot)
            do {
                try unsafe (slots + id).move().deallocate(byteCount: event.byteCount, id: id, to: source)
            } catch {
                firstFailure =
                    firstFailure
                    ?? .deallocationFailed(event: index, byteCount: event.byteCount, reason: "\(error)")
            }
        }
        if let firstFailure { throw firstFailure }
    }

    /// Gives back what is alive just before the event that failed, and says what failed.
    @usableFromInline func abandon(atEvent index: Int, with reason: String) -> ReplayError {
        var alive: [UInt32: TraceEvent] = [:]
        for event in trace.events[..<index] {
            alive[event.slot] = event.kind == .allocate ? event : nil
        }
        let failed = trace.events[index]
        if failed.kind == .free { alive[failed.slot] = nil }
        // An allocator that fails here too has been caught failing already: the first failure is the one to report.
        try? release(Array(alive.values), afterEvent: index)
        return failed.kind == .allocate
            ? .allocationFailed(event: index, byteCount: failed.byteCount, reason: reason)
            : .deallocationFailed(event: index, byteCount: failed.byteCount, reason: reason)
    }
}
