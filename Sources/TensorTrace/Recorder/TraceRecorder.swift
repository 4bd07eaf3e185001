public import TensorPool

/// An allocator that writes down what is allocated and freed through it, as a binary trace (`.tptrace`).
///
///     let recorder = try TraceRecorder(pool, path: "run.tptrace")
///     let activations = try recorder.allocate(byteCount: 1 << 20)
///     ...
///     try recorder.finish()
///
/// Each event goes with its time into a buffer of the calling thread, with no lock and, but for one buffer in many, no
/// atomic read-modify-write; a thread of the recorder's own writes the buffers out, at least every
/// ``TraceRecorderConfiguration/flushInterval``. Where it cannot keep up, events are dropped and counted: nobody waits for it.
///
/// Cost: some 27 ns an event of a handle and 30 of a buffer, most of them a reading of the processor's counter, and 32 bytes
/// stored; 38 where thousands of buffers are allocated before the first of them ends. (On the optimized pool, medians of 200
/// rounds of 8,192 pairs in turn with and without a recorder: a handle's pair 9.4 and 63 ns, a buffer's 6.1 and 65; Intel
/// Xeon virtual machine with 2 cores, 2026-11-23; `pool-worker recorder` of the benchmarks repeats it.) Where the
/// processor's time-stamp counter does not run at one rate, the clock is read, for some 10 ns more. A thread that records
/// for two recorders in turn looks its buffer up each time, for some 180 ns an event.
/// In the file times are CLOCK_MONOTONIC's: the counter and the clock are compared at each flush.
///
/// With the events go samples of what the pool holds: live, cached and reserved bytes at the start, at each flush (not more
/// often than every 10 ms) and at the end. Its figures are read for them, off the threads that record.
///
/// What was written at the last flush can be read whatever happens to the process. ``finish()`` writes the rest; so do
/// the end of the last copy of this value, and the normal exit of the process, which waits for it no longer than
/// ``TraceRecorderConfiguration/exitPatience``. A forked child does not record, and leaves the file alone.
///
/// A buffer may outlive its recorder and end on another thread, and is then freed all the same. Threads may share the
/// recorder; copies share the recording.
public struct TraceRecorder<Upstream: TensorAllocator>: TensorAllocator {
    /// Where the memory comes from.
    public let upstream: Upstream
    @usableFromInline let recording: RecordingID
    @usableFromInline let observer: NoticingObserver
    private let owner: RecordingOwner

    /// Starts a recording.
    ///
    /// - Parameters:
    ///   - upstream: Where the memory comes from.
    ///   - path: The file, replaced if it is there; gzip where it ends in `.gz`, of which a crash leaves less.
    ///   - configuration: How much memory it may use, and how often it writes.
    /// - Throws: ``TraceRecorderError``; of a file that was there, the contents may be gone.
    public init(
        _ upstream: Upstream, path: String, configuration: TraceRecorderConfiguration = TraceRecorderConfiguration()
    ) throws(TraceRecorderError) {
        self.upstream = upstream
        let recording = try Recording.start(path: path, configuration: configuration) { upstream.statistics() }
        self.recording = recording.id
        // Before the tensor is freed: another thread may have the memory then.
        observer = unsafe NoticingObserver(word: recording.id.number) { recording, address, byteCount in
            unsafe RecordingID(number: recording).recordFree(address: address, byteCount: byteCount, tensorID: 0)
        }
        owner = RecordingOwner(recording)
    }

    /// Allocates a tensor that is freed at the end of the returned value's life. Its trace has the tensor id 0.
    ///
    /// Parameters as in ``TensorAllocator/allocate(byteCount:alignment:zeroed:traits:)``.
    /// - Throws: ``TensorPoolError``; nothing is recorded then.
    @inlinable
    public func allocate(
        byteCount: Int, alignment: Int = 64, zeroed: Bool = false, traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> TensorBuffer {
        let tensor = try observer.observe(
            upstream.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits))
        unsafe recording.recordAllocation(address: unsafe tensor.baseAddress, byteCount: byteCount, tensorID: 0)
        return tensor
    }

    /// Allocates a tensor that is freed by ``deallocateTensor(id:_:)``. Freed in the pool itself, its free is missing in
    /// the trace.
    ///
    /// - Throws: ``TensorPoolError``; nothing is recorded then.
    @inlinable
    public func allocateTensor(
        id: UInt64, byteCount: Int, device: TensorDevice = .cpu, isModelWeight: Bool = false, isTemporary: Bool = false
    ) throws(TensorPoolError) -> MemoryHandle {
        let handle = try upstream.allocateTensor(
            id: id, byteCount: byteCount, device: device, isModelWeight: isModelWeight, isTemporary: isTemporary)
        unsafe recording.recordAllocation(address: unsafe handle.baseAddress, byteCount: byteCount, tensorID: id)
        return handle
    }

    /// Frees a tensor.
    ///
    /// - Throws: What the pool throws; nothing is recorded then.
    @inlinable
    public func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        // The time from before: another thread may have the memory as soon as it is freed.
        let ticks = RecordingID.ticksBeforeFree()
        try upstream.deallocateTensor(id: id, handle)
        unsafe recording.recordFree(
            address: unsafe handle.baseAddress, byteCount: handle.byteCount, tensorID: id, ticks: ticks)
    }

    /// The pool's figures. See ``TensorAllocator/statistics()``.
    public func statistics() -> PoolStatistics { upstream.statistics() }

    /// Gives back to the system what no tensor uses. See ``TensorAllocator/trim()``.
    @discardableResult public func trim() -> TrimResult { upstream.trim() }

    /// Events that could not be kept so far: the writer did not keep up, there were too many threads, or writing failed.
    /// 0 in a forked child, which records nothing.
    ///
    /// Cost: a lock, and a load for each thread that records.
    public var droppedEventCount: Int { owner.recording.droppedEventCount }

    /// Writes what was recorded up to now, and waits until the system has it.
    ///
    /// - Throws: ``TraceRecorderError/cannotWrite(_:)``, also where an earlier write failed.
    public func flush() throws(TraceRecorderError) { try owner.recording.flush() }

    /// Writes the rest, ends the trace, and closes the file. Again, it says the same again.
    ///
    /// The pool goes on as before, through this value too, unrecorded. What other threads allocate and free while this
    /// runs may be missing.
    /// - Returns: How many events are in the file, and how many are not.
    /// - Throws: ``TraceRecorderError/cannotWrite(_:)``; what was written before is in the file.
    @discardableResult public func finish() throws(TraceRecorderError) -> TraceRecorderResult {
        try owner.recording.finish()
    }
}

extension TraceRecorder: ForwardingAllocator {
    /// Recorded as a free and an allocation at one address.
    package func resizedInPlace(id: UInt64, _ handle: MemoryHandle, to byteCount: Int) throws(TensorPoolError)
        -> MemoryHandle?
    {
        let ticks = RecordingID.ticksBeforeFree()
        guard let resized = try upstream.resizedInPlace(id: id, handle, to: byteCount) else { return nil }
        unsafe recording.recordFree(
            address: unsafe handle.baseAddress, byteCount: handle.byteCount, tensorID: id, ticks: ticks)
        unsafe recording.recordAllocation(address: unsafe resized.baseAddress, byteCount: byteCount, tensorID: id)
        return resized
    }
}

/// Ends a recording with the last copy of its recorder.
private final class RecordingOwner: Sendable {
    let recording: Recording

    init(_ recording: Recording) { self.recording = recording }

    // Who wants to hear of a failure calls finish().
    deinit { _ = try? recording.finish() }
}
