import CThreadSlot
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension PoolTests {
    /// How long an observer lives: its buffers, and the references that threads keep.
    @Suite struct BufferObserverTests {
        private final class CountingObserver: BufferObserver, @unchecked Sendable {
            private let ended: Counter
            private let gone: Counter

            init(ended: Counter = Counter(), gone: Counter = Counter()) {
                self.ended = ended
                self.gone = gone
            }

            deinit { gone.add(1) }

            override func end(_ buffer: consuming TensorBuffer) { ended.add(1) }
        }

        /// A buffer that can be stored.
        private final class Held: Sendable {
            let buffer: TensorBuffer
            init(_ buffer: consuming TensorBuffer) { self.buffer = buffer }
        }

        /// What the calling thread has to spare.
        private static var spare: Int { Int(tensorpool_load_observer_slot().references) }

        @Test func anObserverLivesAsLongAsItsBuffers() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            onAnotherThread {
                do {
                    let (ended, gone) = (Counter(), Counter())
                    var observer: CountingObserver? = CountingObserver(ended: ended, gone: gone)
                    var held = try (0..<3).map { _ in
                        try observer.map { Held(try $0.observe(pool.allocate(byteCount: 4096))) }
                    }
                    observer = nil
                    held.removeLast(2)
                    #expect(ended.value == 2 && gone.value == 0)
                    let last = held.removeLast()
                    // The last one ends on a thread that keeps its reference, and goes.
                    let handed = Mutex(last)
                    _ = consume last
                    onAnotherThread { handed.withLock { $0 = nil } }
                    #expect(ended.value == 3)
                    // This thread has those of the first two.
                    #expect(gone.value == 0)
                    SpareReferences.giveBack()
                    #expect(gone.value == 1)
                } catch {
                    Issue.record(error)
                }
            }
            #expect(pool.statistics().liveTensors == 0)
        }

        /// What a thread keeps goes with a buffer of another observer, and with the thread; there are bounds to it.
        @Test func threadsGiveBackWhatTheyKeep() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let (gone, goneLater) = (Counter(), Counter())
            let limit = Int(tensorpool_spare_reference_limit)
            onAnotherThread {
                do {
                    var first: CountingObserver? = CountingObserver(gone: gone)
                    for _ in 0..<10 { if let first { drop(try first.observe(pool.allocate(byteCount: 4096))) } }
                    #expect(Self.spare > 0 && first?.references.load(ordering: .relaxed) == Self.spare)
                    first = nil
                    #expect(gone.value == 0)
                    let second = CountingObserver(gone: goneLater)
                    drop(try second.observe(pool.allocate(byteCount: 4096)))
                    #expect(gone.value == 1)
                    var held: [Held] = []
                    func expectAllCounted() {
                        #expect(second.references.load(ordering: .relaxed) == held.count + Self.spare)
                        #expect(Self.spare <= limit)
                    }
                    for _ in 0..<2 {
                        while held.count < 3 * limit {
                            held.append(Held(try second.observe(pool.allocate(byteCount: 4096))))
                            expectAllCounted()
                        }
                        while !held.isEmpty {
                            held.removeLast()
                            expectAllCounted()
                        }
                        #expect(Self.spare > 0)
                    }
                    #expect(goneLater.value == 0)
                } catch {
                    Issue.record(error)
                }
            }
            #expect(goneLater.value == 1)
            #expect(pool.statistics().liveTensors == 0)
        }

        /// Observed twice, its own end is remembered by an object that goes with the buffer, number and all.
        @Test func nothingIsKeptOfNestedObservers() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let gone = Counter()
            onAnotherThread {
                do {
                    let inner = CountingObserver(gone: gone)
                    var outer: CountingObserver? = CountingObserver(gone: gone)
                    drop(try inner.observe(pool.allocate(byteCount: 4096)))
                    let before = ObserverRegistry.usedCount
                    for _ in 0..<1000 {
                        if let outer { drop(try outer.observe(inner.observe(pool.allocate(byteCount: 4096)))) }
                    }
                    // The outer one has none, only what remembers for it.
                    #expect(ObserverRegistry.usedCount <= before + 1)
                    outer = nil
                    #expect(gone.value == 1)
                    SpareReferences.giveBack()
                    withExtendedLifetime(inner) { #expect(gone.value == 1) }
                } catch {
                    Issue.record(error)
                }
            }
            #expect(gone.value == 2)
        }

        /// What another destructor of the thread frees after the pools' own is not kept: nobody would hear of the end.
        @Test func whatEndsAfterTheThreadsExitIsNotKept() throws {
            /// Uses its observer in the second round of the thread's destructors, after all others.
            final class Late: @unchecked Sendable {
                let pool: OptimizedTensorMemoryPool
                let observer: CountingObserver
                var key = pthread_key_t()
                var round = 0

                init(_ pool: OptimizedTensorMemoryPool, _ observer: CountingObserver) {
                    self.pool = pool
                    self.observer = observer
                }

                func ends() {
                    round += 1
                    if round == 1 {
                        unsafe pthread_setspecific(key, Unmanaged.passRetained(self).toOpaque())
                        return
                    }
                    #expect(!EngineRegistry.noticesExit)
                    for _ in 0..<10 {
                        guard let buffer = try? observer.observe(pool.allocate(byteCount: 4096)) else { break }
                        drop(buffer)
                    }
                    #expect(BufferObserverTests.spare == 0)
                }
            }
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let (ended, gone) = (Counter(), Counter())
            onAnotherThread {
                let late = Late(pool, CountingObserver(ended: ended, gone: gone))
                if let buffer = try? late.observer.observe(pool.allocate(byteCount: 4096)) { drop(buffer) }
                let failure = unsafe pthread_key_create(&late.key) { object in
                    #if canImport(Darwin)
                    unsafe Unmanaged<Late>.fromOpaque(object).takeRetainedValue().ends()
                    #else
                    if let object = unsafe object {
                        unsafe Unmanaged<Late>.fromOpaque(object).takeRetainedValue().ends()
                    }
                    #endif
                }
                #expect(failure == 0)
                unsafe pthread_setspecific(late.key, Unmanaged.passRetained(late).toOpaque())
            }
            #expect(ended.value == 11 && gone.value == 1)
            #expect(pool.statistics().liveTensors == 0)
        }

        /// Threads end each other's buffers, of observers that come and go: each buffer ends once, each observer at last.
        @Test(.timeLimit(.minutes(10))) func nothingIsLostAmongThreads() throws {
            let pool = try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: .bare)
            let (observed, ended, made, gone) = (Counter(), Counter(), Counter(), Counter())
            let observers = Mutex<[CountingObserver?]>(Array(repeating: nil, count: 4))
            let exchange = Mutex<[Held?]>(Array(repeating: nil, count: 600))
            let seed = SeededRandom.runSeed("BufferObserverTests")
            onThreads(4) { thread in
                var random = SeededRandom(seed &+ UInt64(thread))
                func observer() -> CountingObserver {
                    let (place, renews) = (random.below(4), random.below(200) == 0)
                    return observers.withLock { observers in
                        if !renews, let known = observers[place] { return known }
                        made.add(1)
                        let new = CountingObserver(ended: ended, gone: gone)
                        observers[place] = new
                        return new
                    }
                }
                for _ in 0..<5000 {
                    do {
                        // Some beyond what a cache keeps; some observed twice; some in a row, which a thread has to spare.
                        let byteCount = random.below(50) == 0 ? 40 << 20 : 1 + random.below(40_000)
                        let mine = observer()
                        for _ in 0..<1 + random.below(4) {
                            var buffer = try mine.observe(pool.allocate(byteCount: byteCount))
                            observed.add(1)
                            if random.below(8) == 0 {
                                buffer = try observer().observe(buffer)
                                observed.add(1)
                            }
                            let held = Held(buffer)
                            let place = random.below(600)
                            let other = exchange.withLock { places in
                                defer { places[place] = held }
                                return places[place]
                            }
                            _ = consume other
                        }
                    } catch {
                        Issue.record(error)
                    }
                }
            }
            onAnotherThread {
                exchange.withLock { $0 = [] }
                observers.withLock { $0 = [] }
            }
            #expect(observed.value == ended.value && observed.value > 40_000)
            #expect(made.value == gone.value && made.value > 10)
            #expect(pool.statistics().liveTensors == 0)
        }
    }
}
