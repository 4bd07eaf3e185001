#if os(Linux)
import Glibc
import Synchronization
import TensorPool
import Testing

@testable import TensorTrace

struct TraceRecorderForkTests {
    /// The child has its parent's recorder, and nobody who writes. In a process of its own, as what forks should be.
    @Test func aForkedChildGoesOnAndRecordsNothing() async {
        await #expect(processExitsWith: .success) {
            let file = TemporaryPath()
            let recorder = try TraceRecorder(TensorMemoryPool(HybridMemoryPool()), path: file.path)
            // Swift's runtime makes what describes a type at its first use, under locks that no fork waits for.
            try #require(!Self.isRefused(by: recorder) && recorder.droppedEventCount == 0)
            let isOver = Atomic(false)
            let failures = Atomic(0)
            runThreads(2) { number in
                if number == 0 {
                    // In the middle of the recorder's locks at most forks.
                    while !isOver.load(ordering: .acquiring) { _ = recorder.droppedEventCount }
                    return
                }
                for _ in 0..<50 {
                    let child = fork()
                    if child == 0 {
                        // The thread that forks may have blocked it.
                        var signals = sigset_t()
                        unsafe sigemptyset(&signals)
                        unsafe sigaddset(&signals, SIGALRM)
                        unsafe sigprocmask(SIG_UNBLOCK, &signals, nil)
                        alarm(60)
                        _exit(Self.isRefused(by: recorder) && recorder.droppedEventCount == 0 ? 0 : 1)
                    }
                    var status: Int32 = 0
                    let isFine = unsafe child > 0 && waitpid(child, &status, 0) == child && status == 0
                    if !isFine { failures.add(1, ordering: .relaxed) }
                }
                isOver.store(true, ordering: .releasing)
            }
            #expect(failures.load(ordering: .relaxed) == 0)
            _ = try recorder.finish()
        }
    }

    private static func isRefused(by recorder: TraceRecorder<TensorMemoryPool>) -> Bool {
        guard (try? recorder.allocate(byteCount: 100)) != nil else { return false }
        do throws(TraceRecorderError) {
            try recorder.flush()
            return false
        } catch {
            return error == .forkedChild
        }
    }
}
#endif
