internal import CThreadSlot
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A ring of events that one thread fills and the writer empties.
///
/// Safe: it owns its memory. What is marked `owner` is touched by the thread that it belongs to alone, and that thread
/// holds it as long as it lives. Between two threads, one that ended and one that begins, the recording's lock stands.
@safe final class EventRing: @unchecked Sendable {
    private let events: UnsafeMutablePointer<RingEvent>
    private let byteCount: Int
    /// As long as the ring.
    let state: UnsafeMutablePointer<RingState>
    private let signal: WriterSignal
    private let orphaned = Atomic(false)
    /// The owner's id and name, which change with the owner.
    private(set) var threadID: UInt64 = 0
    private(set) var threadName: String?
    /// Writer: the time of the latest event that was taken out, in nanoseconds.
    var latestTime = Int64.min

    /// Nil where the system has no memory. The calling thread owns it.
    /// - Parameter byteCount: a power of two.
    init?(byteCount: Int, signal: WriterSignal) {
        // Memory that is not touched until it is used.
        let memory = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { return nil }
        self.byteCount = byteCount
        let capacity = byteCount / MemoryLayout<RingEvent>.stride
        unsafe events = memory.bindMemory(to: RingEvent.self, capacity: capacity)
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: RingState(events: events, capacity: capacity, signal: signal))
        self.signal = signal
        adopt()
    }

    deinit {
        unsafe state.deinitialize(count: 1).deallocate()
        unsafe munmap(events, byteCount)
    }

    /// Makes the calling thread the owner of a ring that is empty and has none.
    func adopt() {
        unsafe state.pointee.reset()
        latestTime = .min
        orphaned.store(false, ordering: .relaxed)
        threadID = CurrentThread.id
        threadName = CurrentThread.name
    }

    /// Owner: the thread ends.
    func abandon() {
        orphaned.store(true, ordering: .releasing)
        signal.wake()
    }

    /// The recording has ended: the owner may let go of it.
    func close() { unsafe state.pointee.close() }

    var isClosed: Bool { unsafe state.pointee.isClosed }

    /// To be asked before ``end``: what the owner wrote last is seen then.
    var isAbandoned: Bool { orphaned.load(ordering: .acquiring) }

    var droppedCount: Int { unsafe state.pointee.droppedCount }

    /// Writer: up to where it is filled.
    var end: Int { unsafe state.pointee.end }

    /// Writer: takes out what is in it up to `end`.
    func drain<Failure: Error>(upTo end: Int, _ body: (RingEvent) throws(Failure) -> Void) throws(Failure) {
        try unsafe state.pointee.drain(upTo: end, body)
    }

    /// The recording has ended: gives the events' memory back, though the owner still holds the ring.
    func releaseMemory() { unsafe madvise(events, byteCount, MADV_DONTNEED) }
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
