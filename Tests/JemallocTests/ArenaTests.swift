import Foundation
import Testing

@testable import Jemalloc

extension JemallocTests {
    struct ArenaTests {
        @Test func anArenaHasAnIndexAndMemoryOfItsOwn() throws {
            let first = try Arena()
            let second = try Arena()
            #expect(first.index != second.index)
            #expect(first.flags == .arena(first.index) | .withoutThreadCache)
            let block = unsafe try mallocx(64, second.flags)
            #expect(try unsafe Arena.index(of: block) == second.index)
            unsafe dallocx(block, second.flags)
            try first.destroy()
            try second.destroy()
        }

        @Test func addressesOfOthersHaveNoArena() {
            var local = 0
            let error = unsafe withUnsafePointer(to: &local) { pointer in
                refusal { () throws(JemallocError) in _ = unsafe try Arena.index(of: pointer) }
            }
            #expect(error == JemallocError(key: "arenas.lookup", operation: .read, errno: EINVAL))
        }

        @Test func indicesAreUsedAgain() throws {
            let arena = try Arena()
            let index = arena.index
            try arena.destroy()
            var indices: Set<UInt32> = []
            let before = try Build.arenaIndexCount
            for _ in 0..<300 {
                let arena = try Arena()
                indices.insert(arena.index)
                let block = unsafe try mallocx(1 << 16, arena.flags)
                unsafe touch(block, 1 << 16)
            }
            #expect(indices.contains(index))
            #expect(try Build.arenaIndexCount == before, "deinit destroyed each")
        }

        @Test func aDestroyedArenaRefuses() throws {
            let arena = try Arena()
            let index = arena.index
            try arena.destroy()
            let decay = try ControlKey<Int>("arena.<i>.dirty_decay_ms").at(index)
            let expected = JemallocError(key: "arena.\(index).dirty_decay_ms", operation: .read, errno: EFAULT)
            #expect(refusal { () throws(JemallocError) in _ = try decay.read() } == expected)
            let destroy = try ControlKey<Void>("arena.<i>.destroy").at(index)
            #expect(refusal { () throws(JemallocError) in try destroy.call() }?.errno == EFAULT)
            try Statistics.refresh()
            #expect(refusal { () throws(JemallocError) in _ = try Statistics.arena(index) }?.errno == ENOENT)
        }

        @Test func jemallocsOwnArenasCannotBeResetOrDestroyed() throws {
            for action in ["reset", "destroy"] {
                let key = try ControlKey<Void>("arena.<i>.\(action)").at(0)
                #expect(refusal { () throws(JemallocError) in try key.call() }?.errno == EFAULT)
            }
        }

        /// In a process of its own, since the arena that is not destroyed stays.
        @Test func anArenaWithThreadsBoundToItIsNotDestroyed() async {
            await #expect(processExitsWith: .success) {
                let arena = try Arena()
                let index = arena.index
                try ControlKey<UInt32>("thread.arena").write(index)
                var error: JemallocError?
                do throws(JemallocError) { try arena.destroy() } catch let refusal { error = refusal }
                #expect(error == JemallocError(key: "arena.\(index).destroy", operation: .call, errno: EFAULT))
                #expect(try ControlKey<Int>("arena.<i>.dirty_decay_ms").at(index).read() >= -1, "it is still there")
            }
        }

        /// In a process of its own, since every arena costs memory until the end.
        @Test func tooManyArenasAreRefused() async {
            await #expect(processExitsWith: .success) {
                let create = try ControlKey<UInt32>("arenas.create")
                var last: UInt32 = 0
                while true {
                    do throws(JemallocError) { last = try create.read() } catch { break }
                }
                #expect(last == 4094)
                let error = refusal { () throws(JemallocError) in _ = try Arena() }
                #expect(error == JemallocError(key: "arenas.create", operation: .read, errno: EAGAIN))
            }
        }

        @Test func resetFreesEveryBlock() throws {
            let arena = try Arena()
            for byteCount in [10, 1000, 100_000, 10 << 20] { _ = unsafe try mallocx(byteCount, arena.flags) }
            try Statistics.refresh()
            #expect(try Statistics.arena(arena.index).small.allocated > 1000)
            #expect(try Statistics.arena(arena.index).large.allocated > 10 << 20)
            try arena.reset()
            try Statistics.refresh()
            #expect(try Statistics.arena(arena.index).small.allocated == 0)
            #expect(try Statistics.arena(arena.index).large.allocated == 0)
            let block = unsafe try mallocx(10, arena.flags)
            #expect(try unsafe Arena.index(of: block) == arena.index, "the arena is still good")
        }

        @Test func threadsMakeUseAndDestroyArenas() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        for round in 0..<50 {
                            let arena = try Arena(ArenaConfiguration(dirtyDecayMilliseconds: round))
                            let byteCount = 1 << (4 + (worker * 7 + round) % 18)
                            let block = unsafe try mallocx(byteCount, arena.flags)
                            unsafe touch(block, byteCount)
                            #expect(try unsafe Arena.index(of: block) == arena.index)
                            #expect(try arena.dirtyDecayMilliseconds == round)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
