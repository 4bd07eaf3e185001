public import CMeasurement

/// The workloads the field uses for threads, on blocks as tensors are: the same as the C worker's, line by line.
public enum ThreadWorkload: String, CaseIterable {
    case independent
    case server
    case producerConsumer = "producer-consumer"
    case churn
    case cacheScratch = "cache-scratch"

    /// Runs it, and prints what it took.
    @inlinable public func run<Element: Block & ~Copyable>(
        _ block: Element.Type, threads: Int, operations: Int, making makeSource: () -> Element.Source
    ) {
        _ = tpb_reset_resident_peak()
        let residentBefore = tpb_resident_bytes()
        let job = ThreadJob<Element>(threads: threads, operations: operations, source: makeSource())
        let time =
            switch self {
            case .independent: job.runIndependent()
            case .server: job.runServer()
            case .producerConsumer: job.runProducerConsumer()
            case .churn: job.runChurn()
            case .cacheScratch: job.runCacheScratch()
            }
        print("wall \(time.wall_nanoseconds)\nprocessor \(time.processor_nanoseconds)")
        print("resident_before \(residentBefore)\nresident_peak \(tpb_resident_peak_bytes())")
    }
}

/// What the threads of one run share.
///
/// Safe: each thread writes to its own part, or under a lock, and no thread outlives the call that started it.
@safe @usableFromInline final class ThreadJob<Element: Block & ~Copyable> {
    @usableFromInline let threads: Int
    @usableFromInline let operations: Int
    @usableFromInline let source: Element.Source
    @usableFromInline let sizes: UnsafePointer<Int32>

    @inlinable init(threads: Int, operations: Int, source: consuming Element.Source) {
        self.threads = threads
        self.operations = operations
        self.source = source
        unsafe sizes = unsafe tpb_sizes()
    }

    @inlinable func size(_ number: Int) -> Int { unsafe Int(sizes[number & (Int(TPB_SIZE_COUNT) - 1)]) }

    /// Allocates and writes the first byte.
    @inlinable @inline(__always) func allocate(_ byteCount: Int, from source: borrowing Element.Source) -> Element {
        let block = Element.allocate(byteCount, from: source)
        unsafe tpb_touch_first(block.address)
        return block
    }

    /// Runs a body on the job's number of threads, all starting together once each has warmed up.
    @inlinable func onThreads(
        warmUp: @escaping (_ index: Int) -> Void = { _ in }, _ body: @escaping (_ index: Int) -> Void
    ) -> tpb_parallel_time {
        let box = ThreadBody(warmUp: warmUp, body)
        // The box outlives the call, which waits for its threads.
        return withExtendedLifetime(box) {
            unsafe tpb_parallel(
                Int32(threads), warmUpThread, runThreadBody, Unmanaged.passUnretained(box).toOpaque())
        }
    }
}

@usableFromInline final class ThreadBody {
    @usableFromInline let warmUp: (Int) -> Void
    @usableFromInline let body: (Int) -> Void

    @usableFromInline init(warmUp: @escaping (Int) -> Void, _ body: @escaping (Int) -> Void) {
        self.warmUp = warmUp
        self.body = body
    }
}

/// What C calls on each thread first.
@usableFromInline func warmUpThread(_ context: UnsafeMutableRawPointer, _ index: Int32) {
    unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeUnretainedValue().warmUp(Int(index))
}

/// What C calls on each thread.
@usableFromInline func runThreadBody(_ context: UnsafeMutableRawPointer, _ index: Int32) {
    unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeUnretainedValue().body(Int(index))
}
