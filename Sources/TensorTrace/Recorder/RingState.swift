internal import Synchronization

/// An event on its way from the thread that saw it to the writer.
struct RingEvent: BitwiseCopyable {
    /// When, as ``TickTimeline`` tells.
    let ticks: UInt64
    let address: UInt64
    /// The size, and in the lowest bit whether it is a free.
    let sizeAndKind: UInt64
    let tensorID: UInt64
}

/// What the owner of an ``EventRing`` and the writer share: a load and a store each, no read-modify-write.
///
/// In memory of its own, which a thread's slot points to: properties of a class would be looked up through a reference,
/// and checked for exclusive access.
///
/// Safe: who has a pointer to it knows that its ring lives. `events` are the ring's, `nextCheck` is the owner's alone.
@safe struct RingState: ~Copyable {
    private let events: UnsafeMutablePointer<RingEvent>
    private let mask: Int
    /// Owner: the place from which on room has to be looked for. Atomic only so that no method of the owner's changes all
    /// of this, while the writer reads other parts.
    private let nextCheck = Atomic(0)
    private let head = Atomic(0)
    private let closed = Atomic(false)
    // On a line of its own: the writer's progress must not slow down the owner.
    private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    private let tail = Atomic(0)
    private let dropped = Atomic(0)
    private let signal: WriterSignal

    /// - Parameter capacity: a power of two.
    init(events: UnsafeMutablePointer<RingEvent>, capacity: Int, signal: WriterSignal) {
        unsafe self.events = events
        mask = capacity - 1
        self.signal = signal
    }

    /// Empties it for another owner.
    func reset() {
        nextCheck.store(0, ordering: .relaxed)
        head.store(0, ordering: .relaxed)
        tail.store(0, ordering: .relaxed)
    }

    /// Owner: adds an event, or counts it as dropped. After the recording's end, neither.
    @inline(__always)
    func append(_ event: RingEvent) {
        let place = head.load(ordering: .relaxed)
        if place == nextCheck.load(ordering: .relaxed) {
            guard hasRoom(at: place) else { return }
        }
        if closed.load(ordering: .relaxed) { return }
        unsafe events[place & mask] = event
        head.store(place &+ 1, ordering: .releasing)
    }

    @inline(never)
    private func hasRoom(at place: Int) -> Bool {
        if closed.load(ordering: .relaxed) { return false }
        let emptied = tail.load(ordering: .acquiring)
        let half = emptied &+ (mask + 1) / 2
        if place < half {
            nextCheck.store(half, ordering: .relaxed)
            return true
        }
        signal.wake()
        let full = emptied &+ mask + 1
        nextCheck.store(max(place, full), ordering: .relaxed)
        if place < full { return true }
        dropped.store(dropped.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        return false
    }

    func close() { closed.store(true, ordering: .relaxed) }

    var isClosed: Bool { closed.load(ordering: .relaxed) }

    var droppedCount: Int { dropped.load(ordering: .relaxed) }

    /// Writer: up to where it is filled.
    var end: Int { head.load(ordering: .acquiring) }

    /// Writer: takes out what is in it up to `end`.
    func drain<Failure: Error>(upTo end: Int, _ body: (RingEvent) throws(Failure) -> Void) throws(Failure) {
        var place = tail.load(ordering: .relaxed)
        defer { tail.store(place, ordering: .releasing) }
        while place < end {
            try body(unsafe events[place & mask])
            place += 1
            if place & 1023 == 0 { tail.store(place, ordering: .releasing) }
        }
    }
}
