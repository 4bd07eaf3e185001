internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What orders the threads of a concurrent replay: a free waits here until its tensor has been allocated.
///
/// One flag for each tensor that another thread frees. It holds the round in which the tensor was allocated last, or
/// who waits for that. The allocating thread swaps it once, and the freeing thread finds it set, or looks for a moment,
/// lets others run, and then sleeps until the allocating thread wakes it: a waiting thread takes no processor time from
/// those it waits for. Nobody waits in a circle, since the recorded order is one that serves everybody.
@safe @usableFromInline final class HandOvers: @unchecked Sendable {
    /// Looks before others are let in, and turns given to them before the thread sleeps.
    private static let looks = 256
    private static let yields = 16
    /// Above it a flag names a waiting lane, counted from the top.
    private static let lastRound = UInt32.max - UInt32(ReplayMode.maximumThreads)

    private let flags: UnsafeMutablePointer<Atomic<UInt32>>
    private let count: Int
    private let sleepers: [DispatchSemaphore]
    private let abandoned = Atomic(false)
    private var round: UInt32 = 0

    /// - Parameters:
    ///   - count: how many tensors are handed over.
    ///   - laneCount: how many threads there are, at most ``ReplayMode/maximumThreads``.
    init(count: Int, laneCount: Int) {
        self.count = count
        sleepers = (0..<laneCount).map { _ in DispatchSemaphore(value: 0) }
        unsafe flags = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (flags + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe flags.deinitialize(count: count)
        unsafe flags.deallocate()
    }

    /// Starts a round, while no thread is in one: nothing is allocated yet.
    func beginRound() {
        round = round == Self.lastRound ? 1 : round + 1
        abandoned.store(false, ordering: .sequentiallyConsistent)
    }

    /// Whether a thread has failed, so that what others wait for may never come.
    var isAbandoned: Bool { abandoned.load(ordering: .sequentiallyConsistent) }

    /// Ends everybody's waiting.
    @usableFromInline func abandon() {
        abandoned.store(true, ordering: .sequentiallyConsistent)
        for sleeper in sleepers { sleeper.signal() }
    }

    /// Says that the tensor of a slot is there. Its memory's description is written before.
    @usableFromInline func publish(_ slot: Int) {
        // Within the flags: below the schedule's shared slots.
        let old = unsafe flags[slot].exchange(round, ordering: .acquiringAndReleasing)
        if old > Self.lastRound { sleepers[Int(UInt32.max - old)].signal() }
    }

    /// Waits until the tensor of a slot is there. False where a thread has failed instead.
    @usableFromInline func wait(for slot: Int, on lane: Int) -> Bool {
        for turn in 0..<(Self.looks + Self.yields) {
            if unsafe flags[slot].load(ordering: .acquiring) == round { return true }
            if turn >= Self.looks { sched_yield() }
        }
        return sleep(until: slot, on: lane)
    }

    private func sleep(until slot: Int, on lane: Int) -> Bool {
        let seen = unsafe flags[slot].load(ordering: .acquiring)
        guard seen != round else { return true }
        let mark = UInt32.max - UInt32(lane)
        let swap = unsafe flags[slot].compareExchange(
            expected: seen, desired: mark, ordering: .acquiringAndReleasing)
        // Only the allocating thread writes besides this one, and only that the tensor is there.
        guard swap.exchanged else { return true }
        while unsafe flags[slot].load(ordering: .acquiring) != round {
            guard !isAbandoned else { return false }
            // A signal may be one of an earlier, abandoned round: then it is waited for again.
            sleepers[lane].wait()
        }
        return true
    }
}
