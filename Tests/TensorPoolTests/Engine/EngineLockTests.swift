import CThreadSlot
import Foundation
import PoolModel
import Testing

@testable import TensorPool

extension PoolTests {
    struct EngineLockTests {
        /// A lock, and caches for it that no thread has.
        @safe private final class Fixture: @unchecked Sendable {
            let lock = EngineLock()
            let caches: [ThreadCachePointer]
            /// Guarded by the lock, and by nothing else.
            var counter = 0
            private let base: HybridMemoryPool

            init(_ count: Int) throws {
                base = try HybridMemoryPool()
                let engine = base.memory.engines()[0]
                unsafe caches = (0..<count).compactMap { unsafe ThreadCachePointer.make(ordinal: $0, engine: engine) }
            }

            deinit { for place in unsafe caches.indices { unsafe UnsafeMutableRawPointer(caches[place]).deallocate() } }

            /// Counts under the lock. Whether the bias sufficed.
            @discardableResult func count(_ cache: Int?) -> Bool {
                let cache = unsafe cache.map { unsafe caches[$0] }
                let isBiased = unsafe lock.lock(cache)
                counter += 1
                unsafe lock.unlock(cache, isBiased: isBiased)
                return isBiased
            }

            /// How many uses in a row it takes to win the bias; nil where `most` are not enough.
            func usesUntilBias(_ cache: Int, atMost most: Int) -> Int? {
                (0...most).first { _ in count(cache) }
            }
        }

        @Test func theFirstThreadHasTheBiasAtOnce() throws {
            let fixture = try Fixture(1)
            #expect(!fixture.count(0))
            #expect(fixture.count(0) == tensorpool_can_bias)
            #expect(fixture.count(0) == tensorpool_can_bias)
            #expect(!fixture.count(nil), "who has no cache takes the mutex")
            #expect(!fixture.count(0), "and ends the bias")
            #expect(fixture.counter == 5)
        }

        @Test func threadsInTurnsAreSeenAndForgotten() throws {
            let fixture = try Fixture(2)
            let isContested = {
                let isBiased = unsafe fixture.lock.lock(fixture.caches[0])
                defer { unsafe fixture.lock.unlock(fixture.caches[0], isBiased: isBiased) }
                return fixture.lock.isContested
            }
            for _ in 0..<10 { #expect(!isContested()) }
            fixture.count(1)
            for _ in 0..<100 { #expect(isContested()) }
            for _ in 0..<20_000 { fixture.count(0) }
            #expect(!isContested())
        }

        @Test(.enabled(if: tensorpool_can_bias)) func aBiasLostOftenIsStillWon() throws {
            let fixture = try Fixture(2)
            for turn in 0..<30 {
                let uses = try #require(fixture.usesUntilBias(turn % 2, atMost: 20_000))
                #expect(uses <= 1 << 14 + 2)
            }
        }

        /// Longer than a waiting thread yields: it sleeps meanwhile, and has the lock afterwards.
        @Test(.enabled(if: tensorpool_can_bias)) func aLongStayUnderTheBiasIsWaitedFor() throws {
            let fixture = try Fixture(2)
            fixture.count(0)
            let isBiased = unsafe fixture.lock.lock(fixture.caches[0])
            #expect(isBiased)
            let started = Gate()
            let waiting = SystemThread {
                started.open()
                fixture.count(1)
            }
            started.wait()
            usleep(30_000)
            #expect(fixture.counter == 1)
            unsafe fixture.lock.unlock(fixture.caches[0], isBiased: isBiased)
            waiting.join()
            #expect(fixture.counter == 2)
        }

        @Test(.enabled(if: tensorpool_can_bias)) func aLostBiasIsWonAgainEachTimeMoreSlowly() throws {
            let fixture = try Fixture(2)
            var owner = 0
            #expect(fixture.usesUntilBias(owner, atMost: 1) == 1)
            var needed = 1
            for _ in 0..<6 {
                owner = 1 - owner
                // Without the use that ended the bias of the other.
                let uses = try #require(fixture.usesUntilBias(owner, atMost: 100_000)) - 1
                #expect(uses >= 2 * needed - 2 && uses <= max(260, 2 * needed))
                needed = uses
            }
            // In turns nobody wins it.
            #expect((0..<200_000).allSatisfy { !fixture.count(1 - ($0 + owner) % 2) || $0 == 0 })
        }

        /// A thread that gives its cache up may have the lock by the bias to that cache.
        @Test func aForgottenCacheDoesNotLetOthersIn() throws {
            let fixture = try Fixture(2)
            for _ in 0..<2 { fixture.count(0) }
            let cache = unsafe fixture.caches[0]
            unsafe fixture.lock.lockToForget(cache)
            unsafe fixture.lock.forget(cache)
            let isIn = Gate()
            let other = SystemThread {
                fixture.count(1)
                isIn.open()
            }
            #expect(!isIn.wait(seconds: 0.1), "the lock is still held")
            #expect(fixture.counter == 2)
            unsafe fixture.lock.unlock(cache, isBiased: false)
            other.join()
            #expect(fixture.counter == 3)
        }

        @Test func onlyOneHoldsIt() throws {
            let threads = 6
            let fixture = try Fixture(threads)
            let rounds = 30_000
            let seed = SeededRandom.runSeed("EngineLockTests")
            onThreads(threads) { thread in
                var random = SeededRandom(seed &+ UInt64(thread))
                var done = 0
                while done < rounds {
                    // A long time alone, or so it seems, then a pause for others to have it.
                    let burst = min(rounds - done - 1, random.below(2000))
                    for _ in 0..<burst { fixture.count(thread) }
                    done += burst
                    // Now and then without a cache, as a thread that is kept out of its own.
                    fixture.count(nil)
                    done += 1
                    sched_yield()
                }
            }
            #expect(fixture.counter == threads * rounds)
            // Nothing is left behind: no flag is up.
            for place in unsafe fixture.caches.indices {
                #expect(unsafe !tensorpool_is_inside(&fixture.caches[place].pointee.inside))
            }
        }
    }
}
