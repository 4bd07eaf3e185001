internal import Jemalloc
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A range that several threads make resident: each takes a part, until none is left.
///
/// The kernel zeroes pages on the processor that asks for them, so that as many parts are zeroed at a time as there are
/// processors. A thread that cannot be started is done without.
@safe final class ParallelPopulation: Sendable {
    /// Bytes of a part: long beside a thread's start, and whole huge pages. Tests of refused threads put less here.
    static let partByteCount = Atomic(32 << 20)
    /// A bound on large machines; more were not tried.
    private static let maximumThreads = 16

    nonisolated(unsafe) private let start: UnsafeMutableRawPointer
    private let byteCount: Int
    private let partByteCount = ParallelPopulation.partByteCount.load(ordering: .relaxed)
    private let nextPart = Atomic(0)

    private init(_ start: UnsafeMutableRawPointer, _ byteCount: Int) {
        unsafe self.start = unsafe start
        self.byteCount = byteCount
    }

    /// Makes the pages of a range resident, as ``SystemMemory/populate(_:_:)`` does.
    /// - Parameter threads: how many may work on it, this one included.
    static func run(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, threads: Int = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    ) {
        let job = unsafe ParallelPopulation(address, byteCount)
        let parts = (byteCount + job.partByteCount - 1) / job.partByteCount
        var started = [pthread_t]()
        for _ in 1..<max(1, min(threads, parts, maximumThreads)) {
            guard let thread = job.startThread() else { break }
            started.append(thread)
        }
        job.work()
        for index in started.indices { pthread_join(started[index], nil) }
    }

    private func work() {
        while true {
            let offset = nextPart.add(1, ordering: .relaxed).oldValue * partByteCount
            if offset >= byteCount { return }
            unsafe SystemMemory.populate(start + offset, min(partByteCount, byteCount - offset))
        }
    }

    private func startThread() -> pthread_t? {
        if FaultInjection.refuses(.populationThread) { return nil }
        // The thread's own reference.
        let job = unsafe Unmanaged.passRetained(self).toOpaque()
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let failure = unsafe pthread_create(
            &thread, nil,
            { job in
                #if canImport(Darwin)
                let job = unsafe Optional(job)
                #endif
                if let job = unsafe job {
                    unsafe Unmanaged<ParallelPopulation>.fromOpaque(job).takeRetainedValue().work()
                }
                return nil
            }, job)
        if failure != 0 {
            unsafe Unmanaged<ParallelPopulation>.fromOpaque(job).release()
            return nil
        }
        return thread
    }
}
