internal import CThreadSlot

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The rings of one thread, one a recording. Only that thread touches them here.
///
/// The slot of the thread (RecordingSlot.h) points to the state of the ring used last, or to nothing for a recording that
/// has ended.
struct RecordingThread {
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

    /// The calling thread's ring; nil where the recording has ended or has no room for a ring.
    ///
    /// Alive until the thread ends or records something: this thread alone takes it out of its rings.
    @inline(__always)
    static func ring(of recording: RecordingID) -> UnsafeMutablePointer<RingState>? {
        if tensorpool_recorded_last(recording.number) {
            return unsafe tensorpool_last_ring()?.assumingMemoryBound(to: RingState.self)
        }
        return unsafe findRing(of: recording)
    }

    @inline(never)
    private static func findRing(of recording: RecordingID) -> UnsafeMutablePointer<RingState>? {
        guard !RecordingRegistry.isForkedChild, let key else { return nil }
        let thread: UnsafeMutablePointer<RecordingThread>
        if let known = unsafe pthread_getspecific(key) {
            unsafe thread = known.assumingMemoryBound(to: RecordingThread.self)
        } else {
            unsafe thread = .allocate(capacity: 1)
            unsafe thread.initialize(to: RecordingThread())
            guard unsafe pthread_setspecific(key, thread) == 0 else {
                unsafe thread.deinitialize(count: 1)
                unsafe thread.deallocate()
                RecordingRegistry.recording(recording)?.countDropped()
                return nil
            }
        }
        return unsafe thread.pointee.ring(of: recording)
    }

    private mutating func ring(of recording: RecordingID) -> UnsafeMutablePointer<RingState>? {
        // What the slot points to may go with the rings that are let go of.
        tensorpool_store_recording_slot(0, nil)
        rings = rings.filter { !$0.value.isClosed }
        guard let running = RecordingRegistry.recording(recording) else {
            // It has ended, and says so faster the next time.
            tensorpool_store_recording_slot(recording.number, nil)
            return nil
        }
        guard let ring = rings[recording] ?? running.makeRing() else {
            running.countDropped()
            return nil
        }
        rings[recording] = ring
        unsafe tensorpool_store_recording_slot(recording.number, ring.state)
        return unsafe ring.state
    }

    /// The thread ends. Its last events are the writer's now; should it record more, it begins anew.
    private static func end(_ place: UnsafeMutableRawPointer) {
        tensorpool_store_recording_slot(0, nil)
        let thread = unsafe place.assumingMemoryBound(to: RecordingThread.self)
        if !RecordingRegistry.isForkedChild {
            for ring in unsafe thread.pointee.rings.values { ring.abandon() }
        }
        unsafe thread.deinitialize(count: 1)
        unsafe thread.deallocate()
    }

    /// In a forked child: what its one thread writes goes nowhere. Its rings stay, since other memory may be in the middle
    /// of a change: one thread's at most.
    static func forgetInForkedChild() { tensorpool_store_recording_slot(0, nil) }
}
