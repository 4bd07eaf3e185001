internal import AllocationTrace
internal import Foundation
internal import Synchronization
internal import TensorPool

/// A recording: the rings of its threads, and the thread that writes them out.
///
/// The order of life: ``start(path:configuration:)`` makes the writer's thread, which holds the recording; ``finish()``
/// takes it out of the registry, closes the rings, and waits until the writer has written the rest.
final class Recording: Sendable {
    let id: RecordingID
    private let path: String
    let configuration: TraceRecorderConfiguration
    private let signal = WriterSignal()
    private let rings = Mutex(Rings())
    private let droppedWithoutRing = Atomic(0)
    private let thread = Mutex<MonitorThread?>(nil)

    private struct Rings {
        var owned: [EventRing] = []
        /// Rings that have no owner and are empty, for the next threads.
        var idle: [EventRing] = []
        var isClosed = false
        /// Of rings that are gone.
        var dropped = 0
    }

    private init(id: RecordingID, path: String, configuration: TraceRecorderConfiguration) {
        self.id = id
        self.path = path
        self.configuration = configuration
    }

    static func start(
        path: String, configuration: TraceRecorderConfiguration, statistics: @escaping @Sendable () -> PoolStatistics
    ) throws(TraceRecorderError) -> Recording {
        guard !RecordingRegistry.isForkedChild else { throw .forkedChild }
        let recording = Recording(
            id: RecordingRegistry.newID(), path: path, configuration: try configuration.validated())
        let writer = try RecordingWriter(path: path, recording: recording, statistics: statistics)
        guard let thread = MonitorThread({ writer.run() }) else { throw .noThread }
        recording.thread.withLock { $0 = thread }
        RecordingRegistry.add(recording)
        return recording
    }

    // MARK: The recording threads

    /// A ring that the calling thread owns; nil where there is no room for one.
    func makeRing() -> EventRing? {
        rings.withLock { rings in
            if rings.isClosed { return nil }
            if let ring = rings.idle.popLast() {
                ring.adopt()
                rings.owned.append(ring)
                return ring
            }
            let bytes = configuration.bufferBytesPerThread
            guard rings.owned.count < configuration.bufferByteLimit / bytes,
                let ring = EventRing(byteCount: bytes, signal: signal)
            else { return nil }
            rings.owned.append(ring)
            return ring
        }
    }

    func countDropped() { droppedWithoutRing.add(1, ordering: .relaxed) }

    var droppedEventCount: Int {
        // A lock that a thread of the parent held stays held.
        guard !RecordingRegistry.isForkedChild else { return 0 }
        let counted = rings.withLock { rings in
            (rings.owned + rings.idle).reduce(rings.dropped) { $0 + $1.droppedCount }
        }
        return counted + droppedWithoutRing.load(ordering: .relaxed)
    }

    // MARK: The writer

    /// Gives what there is to write now to `body`, ring by ring: each up to where it was filled before `isKnown` is
    /// called, so that a moment taken there is after all of it.
    func drain(isKnown: () -> Void, _ body: (_ ring: EventRing, _ end: Int) -> Void) {
        let owned = rings.withLock { $0.owned }
        // Asked in this order: what an owner that is gone wrote last is then before the end.
        let states = owned.map { ring in (ring: ring, isAbandoned: ring.isAbandoned, end: ring.end) }
        isKnown()
        for state in states { body(state.ring, state.end) }
        let abandoned = Set(states.lazy.filter(\.isAbandoned).map { ObjectIdentifier($0.ring) })
        guard !abandoned.isEmpty else { return }
        rings.withLock { rings in
            for ring in rings.owned where abandoned.contains(ObjectIdentifier(ring)) { rings.idle.append(ring) }
            rings.owned.removeAll { abandoned.contains(ObjectIdentifier($0)) }
        }
    }

    func awaitWork() -> (flushes: Int, isStopped: Bool) { signal.awaitWork(atMost: configuration.flushInterval) }
    func report(flushes: Int, failure: TraceRecorderError?) { signal.report(flushes: flushes, failure: failure) }
    func report(_ result: Result<TraceRecorderResult, TraceRecorderError>) { signal.report(result) }

    /// Events that were taken out of the rings and could not be written.
    func countDropped(_ count: Int) { droppedWithoutRing.add(count, ordering: .relaxed) }

    // MARK: The recorder's user

    func flush() throws(TraceRecorderError) {
        guard !RecordingRegistry.isForkedChild else { throw .forkedChild }
        if let failure = signal.requestFlush() { throw failure }
    }

    func finish() throws(TraceRecorderError) -> TraceRecorderResult {
        guard let result = end(atMost: nil) else { throw .forkedChild }
        return try result.get()
    }

    /// Nobody is left to throw to.
    func finishAtExit() {
        guard !RecordingRegistry.isForkedChild else { return }
        switch end(atMost: configuration.exitPatience) {
        case .success: return
        case .failure(let error): Self.warn("TensorTrace: the trace \(path) was not finished: \(error)\n")
        case nil:
            Self.warn(
                "TensorTrace: the trace \(path) was not finished within \(configuration.exitPatience): it lacks its last events\n"
            )
        }
    }

    private static func warn(_ line: String) {
        var line = line
        line.withUTF8 { _ = unsafe write(2, $0.baseAddress, $0.count) }
    }

    /// Nil where the patience ended first, and in a forked child.
    private func end(atMost patience: Duration?) -> Result<TraceRecorderResult, TraceRecorderError>? {
        guard !RecordingRegistry.isForkedChild else { return nil }
        RecordingRegistry.remove(self)
        close()
        guard let result = signal.requestStop(atMost: patience) else { return nil }
        thread.withLock { $0.take() }?.finish()
        return result
    }

    /// No events from here on.
    private func close() {
        rings.withLock { rings in
            rings.isClosed = true
            for ring in rings.owned { ring.close() }
        }
    }

    /// Writer: all is written. Threads that live on hold their ring until they end or record something else.
    func releaseRings() {
        rings.withLock { rings in
            for ring in rings.owned {
                ring.releaseMemory()
                rings.dropped += ring.droppedCount
            }
            rings.dropped += rings.idle.reduce(0) { $0 + $1.droppedCount }
            rings.owned = []
            rings.idle = []
        }
    }
}
