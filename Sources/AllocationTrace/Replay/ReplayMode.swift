/// On which threads, and at what pace, a replay carries a trace's events out.
public struct ReplayMode: Codable, Hashable, Sendable {
    /// Whether each recorded thread is a thread again. Each keeps its own order, and a free waits for the allocation of
    /// its own tensor; nothing else waits, so threads may run further ahead of each other than was recorded. False: all
    /// in recorded order on the calling thread.
    public var isConcurrent: Bool
    /// How many times as fast as they were recorded events are due; nil to carry each out as soon as can be.
    public var speed: Double?

    /// A mode of replay.
    public init(isConcurrent: Bool = false, speed: Double? = nil) {
        self.isConcurrent = isConcurrent
        self.speed = speed
    }

    /// In recorded order on the calling thread, as fast as can be.
    public static let sequential = ReplayMode()
    /// More recorded threads than this are not replayed as threads.
    public static let maximumThreads = 512
    /// A round at a recorded pace takes no longer than this.
    public static let maximumRoundSeconds = 86_400.0
}

extension ReplayMode {
    /// Throws where a trace cannot be replayed so.
    package func check(_ trace: AllocationTrace) throws(ReplayError) {
        if isConcurrent, trace.threads.count > Self.maximumThreads { throw .tooManyThreads(trace.threads.count) }
        guard let speed else { return }
        guard speed > 0, speed.isFinite else { throw .speedOutOfRange(speed) }
        guard !trace.times.isEmpty || trace.events.isEmpty else { throw .noTimes }
        let recorded = Double(trace.durationNanoseconds ?? 0) / 1e9
        guard recorded / speed <= Self.maximumRoundSeconds else {
            throw .tooSlow(
                roundSeconds: min(recorded / speed, 1e15),
                neededSpeed: (recorded / Self.maximumRoundSeconds).rounded(.up))
        }
    }
}
