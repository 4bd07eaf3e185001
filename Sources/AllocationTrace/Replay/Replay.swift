/// Replays a trace on an allocator, round after round.
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
    /// On which threads, and at what pace.
    public let mode: ReplayMode
    /// Where blocks come from.
    public let source: Block.Source
    /// The process's resident bytes before the first round, with the source built and the trace loaded.
    public let residentBytesBefore: Int
    /// Whether each round's resident peak is its own.
    public let residentPeakSource: ResidentPeakSource

    @usableFromInline let schedule: ReplaySchedule
    @usableFromInline let slots: UnsafeMutablePointer<Block>
    @usableFromInline let handOvers: HandOvers
    /// Nil where the calling thread does everything.
    @usableFromInline let crew: ReplayCrew?
    @usableFromInline var latencyRecording: LatencyRecording?

    /// Prepares a replay. Cost: memory for one block description for each slot; where it is concurrent, also 25 bytes an
    /// event, and a thread for each recorded one.
    /// - Throws: where the mode does not suit the trace, or touching would take more memory than there is.
    public init(
        _ trace: AllocationTrace, on source: Block.Source, touch: Touch, mode: ReplayMode = .sequential
    ) throws(ReplayError) {
        try mode.check(trace)
        let isTimed = mode.speed != nil
        let schedule =
            mode.isConcurrent
            ? ReplaySchedule(concurrent: trace, isTimed: isTimed) : ReplaySchedule(sequential: trace, isTimed: isTimed)
        if touch != .none, let available = ProcessMemory.availableBytes {
            if trace.summary.peakLiveBytes > available {
                throw .exceedsMemory(neededBytes: trace.summary.peakLiveBytes, availableBytes: available)
            }
            if schedule.liveBytesBound > available {
                throw .mayExceedMemory(boundBytes: schedule.liveBytesBound, availableBytes: available)
            }
        }
        let crew = mode.isConcurrent ? try ReplayCrew(count: schedule.lanes.count) : nil
        self.trace = trace
        self.touch = touch
        self.mode = mode
        self.source = source
        self.schedule = schedule
        self.crew = crew
        handOvers = HandOvers(
            count: schedule.sharedSlotCount, laneCount: mode.isConcurrent ? schedule.lanes.count : 0)
        unsafe slots = UnsafeMutablePointer<Block>.allocate(capacity: max(schedule.slotCount, 1))
        // Its own page faults must not count as the allocator's. Any bytes will do in memory that holds no block yet.
        let byteCount = max(schedule.slotCount, 1) * MemoryLayout<Block>.stride
        unsafe TouchPages.touch(UnsafeMutableRawPointer(slots), byteCount: byteCount)
        latencyRecording = isTimed ? LatencyRecording(laneCount: schedule.lanes.count) : nil
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
        try run(isClocked: mode.speed != nil)
    }

    /// Replays the whole trace once with the clock read before and after each event, for ``latencies``.
    @inlinable public mutating func measureLatencies() throws(ReplayError) {
        _ = try run(isClocked: true)
    }

    /// What single events took in the rounds that were clocked: every round at a pace, else those of
    /// ``measureLatencies()``. Nil where there was none.
    public var latencies: LatencyReport? { latencyRecording?.report }

    /// Replays several rounds, and tells after each how many are done.
    /// - Parameter latencyRounds: how many rounds of ``measureLatencies()`` follow.
    @inlinable public mutating func run(
        rounds: Int, latencyRounds: Int = 0, afterEach report: (_ roundsDone: Int) -> Void = { _ in }
    ) throws(ReplayError) -> ReplayReport {
        var done: [ReplayRound] = []
        for _ in 0..<rounds {
            done.append(try runRound())
            report(done.count)
        }
        for _ in 0..<latencyRounds { try measureLatencies() }
        return ReplayReport(
            rounds: done, residentBytesBefore: residentBytesBefore, residentPeakSource: residentPeakSource,
            latencies: latencies)
    }
}
