/// The lanes of a replay with all that carrying out their events takes. It owns nothing.
///
/// Safe: the replay that owns the slots outlives it, and no two lanes have a slot at the same time.
@safe @usableFromInline struct LaneWork<Block: ReplayBlock & ~Copyable> {
    @usableFromInline let schedule: ReplaySchedule
    @usableFromInline let slots: UnsafeMutablePointer<Block>
    @usableFromInline let handOvers: HandOvers
    @usableFromInline let source: Block.Source

    @inlinable init(
        schedule: ReplaySchedule, slots: UnsafeMutablePointer<Block>, handOvers: HandOvers, source: Block.Source
    ) {
        self.schedule = schedule
        unsafe self.slots = unsafe slots
        self.handOvers = handOvers
        self.source = source
    }

    /// Carries a lane's events out, up to the one that fails or that cannot come since another lane failed.
    @inlinable func run<Timing: EventTiming, Action: TouchAction>(
        _ number: Int, _ laneTiming: LaneTiming, timing: Timing.Type, touching: Action.Type
    ) -> LaneOutcome {
        var timing = Timing(laneTiming)
        let lane = schedule.lanes[number]
        let sharedSlotCount = schedule.sharedSlotCount
        let outcome = LaneOutcome()
        let events = lane.events.span
        for index in events.indices {
            guard timing.reach(index) else { return outcome.stopped(after: index) }
            let event = events[index]
            let id = Int(event.slot)
            // The slot is within the table, empty at an allocation, and full at a free: see `AllocationTrace`. At one
            // that another lane filled this lane waits until it is.
            if event.kind == .allocate {
                do {
                    timing.begin()
                    let block = try Block.allocate(byteCount: event.byteCount, id: id, from: source)
                    unsafe Action.touch(block.address, byteCount: event.byteCount)
                    timing.endAllocation()
                    unsafe (slots + id).initialize(to: block)
                    if id < sharedSlotCount { handOvers.publish(id) }
                } catch {
                    handOvers.abandon()
                    return outcome.failed(at: index, eventsDone: index, with: "\(error)")
                }
            } else {
                if id < sharedSlotCount, !handOvers.wait(for: id, on: number) {
                    return outcome.stopped(after: index)
                }
                do {
                    timing.begin()
                    try unsafe (slots + id).move().deallocate(byteCount: event.byteCount, id: id, to: source)
                    timing.endFree()
                } catch {
                    handOvers.abandon()
                    return outcome.failed(at: index, eventsDone: index + 1, with: "\(error)")
                }
            }
        }
        return outcome.stopped(after: events.count)
    }
}
