internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The recordings that have not ended.
enum RecordingRegistry {
    private static let running = Mutex<[RecordingID: Recording]>([:])
    private static let lastNumber = Atomic<UInt64>(0)
    private static let forked = Atomic(false)

    /// What happens at a fork and at the exit, arranged with the first recording.
    private static let hooks: Void = {
        _ = pthread_atfork(nil, nil) { RecordingRegistry.becomeForkedChild() }
        atexit { RecordingRegistry.finishAll() }
    }()

    /// Whether this process was forked from one that recorded. Its locks may never be released: none is touched then.
    static var isForkedChild: Bool { forked.load(ordering: .relaxed) }

    static func newID() -> RecordingID {
        _ = hooks
        return RecordingID(number: lastNumber.add(1, ordering: .relaxed).newValue)
    }

    static func add(_ recording: Recording) {
        running.withLock { $0[recording.id] = recording }
    }

    static func remove(_ recording: Recording) {
        _ = running.withLock { $0.removeValue(forKey: recording.id) }
    }

    static func recording(_ id: RecordingID) -> Recording? {
        running.withLock { $0[id] }
    }

    private static func becomeForkedChild() {
        forked.store(true, ordering: .relaxed)
        RecordingThread.forgetInForkedChild()
    }

    /// The normal exit. Each recording has its patience, so that a file that takes nothing does not hold up the exit.
    private static func finishAll() {
        guard !isForkedChild else { return }
        for recording in running.withLock({ Array($0.values) }) { recording.finishAtExit() }
    }
}
