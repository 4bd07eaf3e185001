/// What one thread of a replay does.
@usableFromInline struct ReplayLane {
    /// In the thread's order. Slots are those of the ``ReplaySchedule``.
    @usableFromInline var events: [TraceEvent] = []
    /// When each event is due, in nanoseconds; empty where there is no pace.
    @usableFromInline var times: [Int64] = []
    /// The frees of what the events leave alive.
    @usableFromInline var releases: [TraceEvent] = []
}
