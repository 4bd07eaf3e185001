import Foundation
import Testing

@testable import Jemalloc

extension JemallocTests {
    struct ThreadCacheTests {
        @Test func freedBlocksWaitInTheCacheUntilItIsFlushed() throws {
            let arena = try Arena()
            let cache = try ThreadCache()
            #expect(cache.flags == .threadCache(cache.index))
            let flags = AllocationFlags.arena(arena.index) | cache.flags
            let bin = try binIndex(ofSize: 64)
            let block = unsafe try mallocx(64, flags)
            unsafe sdallocx(block, 64, flags)
            #expect(try unsafe mallocx(64, flags) == block, "the last one freed comes first")
            unsafe sdallocx(block, 64, flags)
            try Statistics.refresh()
            let held = try Statistics.bin(arena: arena.index, bin: bin).currentRegions
            #expect(held > 1, "a cache is filled with several at a time")
            try cache.flush()
            try Statistics.refresh()
            let statistics = try Statistics.bin(arena: arena.index, bin: bin)
            #expect(statistics.currentRegions == 0)
            #expect(statistics.fills >= 1)
            // A flushed cache is as good as new.
            let again = unsafe try mallocx(64, flags)
            unsafe dallocx(again, flags)
            try cache.destroy()
            try Statistics.refresh()
            #expect(try Statistics.bin(arena: arena.index, bin: bin).currentRegions == 0)
            try arena.destroy()
        }

        @Test func indicesAreUsedAgain() throws {
            var indices: Set<UInt32> = []
            for _ in 0..<100 {
                let cache = try ThreadCache()
                indices.insert(cache.index)
                let block = unsafe try mallocx(1000, cache.flags)
                unsafe dallocx(block, cache.flags)
            }
            #expect(indices.count == 1, "deinit destroyed each")
            let first = try ThreadCache()
            let second = try ThreadCache()
            #expect(first.index != second.index)
            let index = first.index
            try first.destroy()
            let third = try ThreadCache()
            #expect(third.index == index)
        }

        @Test func aCacheMovesFromThreadToThread() throws {
            let arena = try Arena()
            let cache = try ThreadCache()
            let flags = AllocationFlags.arena(arena.index) | cache.flags
            for _ in 0..<3 {
                onAnotherThread {
                    for byteCount in stride(from: 8, through: 40_000, by: 900) {
                        guard let block = unsafe try? mallocx(byteCount, flags) else {
                            Issue.record("no memory")
                            return
                        }
                        unsafe sdallocx(block, byteCount, flags)
                    }
                }
            }
            try cache.flush()
            try Statistics.refresh()
            #expect(try Statistics.arena(arena.index).small.allocated == 0)
            #expect(try Statistics.arena(arena.index).large.allocated == 0)
        }

        @Test func theAutomaticCacheIsFlushed() throws {
            let arena = try Arena()
            let flags = AllocationFlags.arena(arena.index)
            let index = arena.index
            onAnotherThread {
                do {
                    let block = unsafe try mallocx(64, flags)
                    unsafe dallocx(block)
                    try Statistics.refresh()
                    #expect(try Statistics.arena(index).small.allocated > 0)
                    try ThreadCache.flushAutomaticCache()
                    try Statistics.refresh()
                    #expect(try Statistics.arena(index).small.allocated == 0)
                    // A thread that has given its cache up has none to flush.
                    try ControlKey<Bool>("thread.tcache.enabled").write(false)
                    let error = refusal { () throws(JemallocError) in try ThreadCache.flushAutomaticCache() }
                    #expect(error == JemallocError(key: "thread.tcache.flush", operation: .call, errno: EFAULT))
                } catch {
                    Issue.record(error)
                }
            }
        }

        /// In a process of its own, since others may need a thread cache meanwhile.
        @Test func tooManyCachesAreRefused() async {
            await #expect(processExitsWith: .success) {
                let create = try ControlKey<UInt32>(unchecked: "tcache.create")
                var last: UInt32 = 0
                while true {
                    do throws(JemallocError) { last = try create.read() } catch { break }
                }
                #expect(last == 4093)
                let error = refusal { () throws(JemallocError) in _ = try ThreadCache() }
                #expect(error == JemallocError(key: "tcache.create", operation: .read, errno: EFAULT))
            }
        }
    }
}
