/// Which thread of a replay does what.
///
/// The slots of tensors that another thread frees come first, one for each such tensor: sharing a slot among several
/// would order threads that the recording did not order. The others follow, thread by thread, as few as each needs.
@usableFromInline struct ReplaySchedule {
    @usableFromInline private(set) var lanes: [ReplayLane]
    /// How many slots there are.
    @usableFromInline let slotCount: Int
    /// Below it a slot's tensor is freed by another thread than allocated it.
    @usableFromInline let sharedSlotCount: Int
    /// No order of the threads has more bytes alive; `Int.max` where the bound does not fit.
    let liveBytesBound: Int

    /// All of a trace on one thread, in recorded order.
    init(sequential trace: AllocationTrace, isTimed: Bool) {
        lanes = [
            ReplayLane(events: trace.events, times: isTimed ? trace.times : [], releases: trace.releases)
        ]
        slotCount = trace.slotCount
        sharedSlotCount = 0
        liveBytesBound = trace.summary.peakLiveBytes
    }

    /// Each recorded thread's events as a lane. Cost: three passes over the trace, and 25 bytes an event.
    init(concurrent trace: AllocationTrace, isTimed: Bool) {
        let isShared = Self.sharedEvents(of: trace)
        let counts = Self.privateSlotCounts(of: trace, isShared: isShared)
        var nextShared: UInt32 = 0
        let shared = isShared.indices.count { isShared[$0] && trace.events[$0].kind == .allocate }
        var starts: [Int] = []
        var end = shared
        for count in counts {
            starts.append(end)
            end += count
        }
        var lanes = [ReplayLane](repeating: ReplayLane(), count: trace.threads.count)
        var bounds = [LiveBound](repeating: LiveBound(), count: lanes.count)
        var unused = [[UInt32]](repeating: [], count: counts.count)
        var next = starts.map { UInt32($0) }
        // Where the tensor in a slot of the trace is now.
        var place = [UInt32](repeating: 0, count: trace.slotCount)
        for index in trace.events.indices {
            let event = trace.events[index]
            let (thread, slot) = (Int(event.thread), Int(event.slot))
            if event.kind == .allocate {
                if isShared[index] {
                    place[slot] = nextShared
                    nextShared += 1
                } else if let old = unused[thread].popLast() {
                    place[slot] = old
                } else {
                    place[slot] = next[thread]
                    next[thread] += 1
                }
                bounds[thread].allocate(event.byteCount)
            } else if !isShared[index] {
                unused[thread].append(place[slot])
                bounds[thread].free(event.byteCount)
            }
            lanes[thread].events.append(event.moved(to: place[slot]))
            if isTimed { lanes[thread].times.append(trace.times[index]) }
        }
        for event in trace.releases {
            lanes[Int(event.thread)].releases.append(event.moved(to: place[Int(event.slot)]))
        }
        self.lanes = lanes
        slotCount = end
        sharedSlotCount = shared
        liveBytesBound = bounds.reduce(0) { sum, bound in
            let (sum, overflow) = sum.addingReportingOverflow(bound.highest)
            return overflow ? .max : sum
        }
    }

    /// Which events are of a tensor that another thread frees than allocated it.
    private static func sharedEvents(of trace: AllocationTrace) -> [Bool] {
        var isShared = [Bool](repeating: false, count: trace.events.count)
        var allocation = [Int](repeating: 0, count: trace.slotCount)
        for index in trace.events.indices {
            let event = trace.events[index]
            if event.kind == .allocate {
                allocation[Int(event.slot)] = index
            } else if trace.events[allocation[Int(event.slot)]].thread != event.thread {
                isShared[allocation[Int(event.slot)]] = true
                isShared[index] = true
            }
        }
        return isShared
    }

    /// The most tensors that each thread has alive of those it frees itself or nobody frees.
    private static func privateSlotCounts(of trace: AllocationTrace, isShared: [Bool]) -> [Int] {
        var alive = [Int](repeating: 0, count: trace.threads.count)
        var most = alive
        for index in trace.events.indices where !isShared[index] {
            let event = trace.events[index]
            let thread = Int(event.thread)
            alive[thread] += event.kind == .allocate ? 1 : -1
            most[thread] = max(most[thread], alive[thread])
        }
        return most
    }
}

/// The most that a thread can have alive while others free nothing of it.
private struct LiveBound {
    private var live = 0
    private(set) var highest = 0

    mutating func allocate(_ byteCount: Int) {
        let (sum, overflow) = live.addingReportingOverflow(byteCount)
        live = overflow ? .max : sum
        highest = max(highest, live)
    }

    mutating func free(_ byteCount: Int) {
        // Once it did not fit it stays there.
        if live != .max { live -= byteCount }
    }
}

extension TraceEvent {
    fileprivate func moved(to slot: UInt32) -> TraceEvent {
        TraceEvent(kind: kind, slot: slot, byteCount: byteCount, thread: thread)
    }
}
