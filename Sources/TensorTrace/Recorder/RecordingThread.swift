#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The rings of one thread, one a recording. Only that thread touches them here.
///
/// Safe: `last` is one of `rings`, or nil.
@safe struct RecordingThread {
    /// The ring used last, which `rings` keeps alive; nil for a recording that has ended.
    private var last: Unmanaged<EventRing>?
    private var lastRecording = RecordingID(number: 0)
    private var rings: [RecordingID: EventRing] = [:]

    /// One for the process. Nil where the system has none left: then nothing can be recorded, which is counted.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        #if canImport(Darwin)
        let failure = unsafe pthread_key_create(&key) { unsafe end($0) }
        #else
        let failure = unsafe pthread_key_create(&key) { if let state = unsafe $0 { unsafe end(state) } }
        #endif
        return failure == 0 ? key : nil
    }()

    /// Calls `body` with the calling thread's ring, unless the recording has ended or has no room for a ring.
    @inline(__always)
    static func withRing(of recording: RecordingID, _ body: (EventRing) -> Void) {
        guard let key else { return }
        if let state = unsafe pthread_getspecific(key)?.assumingMemoryBound(to: RecordingThread.self),
            unsafe state.pointee.lastRecording == recording
        {
            // Alive: this thread alone takes it out of its rings.
            unsafe state.pointee.last?._withUnsafeGuaranteedRef { body($0) }
            return
        }
        if let ring = findRing(of: recording, key: key) { body(ring) }
    }

    @inline(never)
    private static func findRing(of recording: RecordingID, key: pthread_key_t) -> EventRing? {
        guard !RecordingRegistry.isForkedChild else { return nil }
        let state: UnsafeMutablePointer<RecordingThread>
        if let known = unsafe pthread_getspecific(key) {
            unsafe state = known.assumingMemoryBound(to: RecordingThread.self)
        } else {
            unsafe state = .allocate(capacity: 1)
            unsafe state.initialize(to: RecordingThread())
            guard unsafe pthread_setspecific(key, state) == 0 else {
                unsafe state.deinitialize(count: 1)
                unsafe state.deallocate()
                RecordingRegistry.recording(recording)?.countDropped()
                return nil
            }
        }
        return unsafe state.pointee.ring(of: recording)
    }

    private mutating func ring(of recording: RecordingID) -> EventRing? {
        rings = rings.filter { !$0.value.isClosed }
        guard let running = RecordingRegistry.recording(recording) else {
            // It has ended, and says so faster the next time.
            (unsafe last, lastRecording) = (nil, recording)
            return nil
        }
        guard let ring = rings[recording] ?? running.makeRing() else {
            running.countDropped()
            return nil
        }
        rings[recording] = ring
        (unsafe last, lastRecording) = (unsafe Unmanaged.passUnretained(ring), recording)
        return ring
    }

    /// The thread ends. Its last events are the writer's now; should it record more, it begins anew.
    private static func end(_ place: UnsafeMutableRawPointer) {
        let state = unsafe place.assumingMemoryBound(to: RecordingThread.self)
        if !RecordingRegistry.isForkedChild {
            for ring in unsafe state.pointee.rings.values { ring.abandon() }
        }
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// In a forked child: what its one thread writes goes nowhere.
    static func forgetInForkedChild() {
        guard let key, let state = unsafe pthread_getspecific(key)?.assumingMemoryBound(to: RecordingThread.self)
        else { return }
        // The rings stay, since other memory may be in the middle of a change: the child has one thread's at most.
        unsafe state.pointee.last = nil
    }
}
