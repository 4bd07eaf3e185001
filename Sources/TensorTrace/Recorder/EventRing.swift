internal import CThreadSlot
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An event on its way from the thread that saw it to the writer.
struct RingEvent: BitwiseCopyable {
    let time: Int64
    let address: UInt64
    /// The size, and in the lowest bit whether it is a free.
    let sizeAndKind: UInt64
    let tensorID: UInt64
}

/// A ring of events that one thread fills and the writer empties: a load and a store each, no read-modify-write.
///
/// Safe: it owns its memory. What is marked `owner` is touched by the thread that it belongs to alone, and that thread
/// holds it as long as it lives. Between two threads, one that ended and one that begins, the recording's lock stands.
@safe final class EventRing: @unchecked Sendable {
    private let events: UnsafeMutablePointer<RingEvent>
    private let capacity: Int
    private let signal: WriterSignal
    /// Owner: the place from which on room has to be looked for.
    private var nextCheck = 0
    // On lines of their own: the writer's progress must not slow down the owner.
    private let head = Atomic(0)
    private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)
    private let tail = Atomic(0)
    private let dropped = Atomic(0)
    private let closed = Atomic(false)
    private let orphaned = Atomic(false)
    /// The owner's id and name, which change with the owner.
    private(set) var threadID: UInt64 = 0
    private(set) var threadName: String?

    /// Nil where the system has no memory. The calling thread owns it.
    /// - Parameter byteCount: a power of two.
    init?(byteCount: Int, signal: WriterSignal) {
        // Memory that is not touched until it is used.
        let memory = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { return nil }
        capacity = byteCount / MemoryLayout<RingEvent>.stride
        unsafe events = memory.bindMemory(to: RingEvent.self, capacity: capacity)
        self.signal = signal
        adopt()
    }

    deinit { unsafe munmap(events, capacity * MemoryLayout<RingEvent>.stride) }

    /// Makes the calling thread the owner of a ring that is empty and has none.
    func adopt() {
        nextCheck = 0
        head.store(0, ordering: .relaxed)
        tail.store(0, ordering: .relaxed)
        orphaned.store(false, ordering: .relaxed)
        threadID = CurrentThread.id
        threadName = CurrentThread.name
    }

    /// Owner: adds an event, or counts it as dropped.
    @inline(__always)
    func append(_ event: RingEvent) {
        if isClosed { return }
        let place = head.load(ordering: .relaxed)
        if place == nextCheck {
            guard hasRoom(at: place) else { return }
        }
        unsafe events[place & (capacity - 1)] = event
        head.store(place &+ 1, ordering: .releasing)
    }

    @inline(never)
    private func hasRoom(at place: Int) -> Bool {
        let emptied = tail.load(ordering: .acquiring)
        let half = emptied &+ capacity / 2
        if place < half {
            nextCheck = half
            return true
        }
        signal.wake()
        nextCheck = emptied &+ capacity
        if place < nextCheck { return true }
        nextCheck = place
        dropped.store(dropped.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        return false
    }

    /// Owner: the thread ends.
    func abandon() {
        orphaned.store(true, ordering: .releasing)
        signal.wake()
    }

    /// The recording has ended: the owner may let go of it.
    func close() {
        closed.store(true, ordering: .relaxed)
    }

    var isClosed: Bool { closed.load(ordering: .relaxed) }

    /// To be asked before it is emptied: what the owner wrote last is seen then.
    var isAbandoned: Bool { orphaned.load(ordering: .acquiring) }

    var droppedCount: Int { dropped.load(ordering: .relaxed) }

    /// Writer: takes out all that is in it.
    func drain<Failure: Error>(_ body: (RingEvent) throws(Failure) -> Void) throws(Failure) {
        let end = head.load(ordering: .acquiring)
        var place = tail.load(ordering: .relaxed)
        defer { tail.store(place, ordering: .releasing) }
        while place != end {
            try body(unsafe events[place & (capacity - 1)])
            place += 1
            if place & 1023 == 0 { tail.store(place, ordering: .releasing) }
        }
    }

    /// The recording has ended: gives the events' memory back, though the owner still holds the ring.
    func releaseMemory() {
        unsafe madvise(events, capacity * MemoryLayout<RingEvent>.stride, MADV_DONTNEED)
    }
}

/// The calling thread as the system knows it.
enum CurrentThread {
    static var id: UInt64 {
        tensorpool_thread_id()
    }

    static var name: String? {
        var bytes = [CChar](repeating: 0, count: 64)
        guard unsafe tensorpool_thread_name(&bytes, bytes.count), bytes[0] != 0 else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
