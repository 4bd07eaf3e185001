import Foundation
import Testing

@testable import Jemalloc

extension JemallocTests {
    struct ControlKeyTests {
        @Test func everyTypeOfValueIsRead() throws {
            #expect(try ControlKey<Bool>("config.stats").read())
            #expect(try ControlKey<UInt32>("arenas.narenas").read() > 0)
            #expect(try ControlKey<UInt64>("epoch").read() > 0)
            #expect(try ControlKey<Int>("arenas.page").read() == 4096)
            #expect(try ControlKey<UInt>("arenas.quantum").read() == 16)
            #expect(try ControlKey<Int64>("opt.stats_interval").read() == -1)
            #expect(try ControlKey<String>("version").read().hasPrefix("5."))
            #expect(String(controlRepresentation: 0) == "")
        }

        @Test func valuesAreWrittenAndReadBack() throws {
            let arena = try Arena()
            let decay = try ControlKey<Int>("arena.<i>.dirty_decay_ms").at(arena.index)
            #expect(decay.name == "arena.\(arena.index).dirty_decay_ms")
            try decay.write(1234)
            #expect(try decay.read() == 1234)
            // The only string of an arena's that can be set in every version: the use of sbrk(2).
            let segment = try ControlKey<String>("arena.<i>.dss").at(arena.index)
            try segment.write("disabled")
            #expect(try segment.read() == "disabled")
            let error = refusal { () throws(JemallocError) in try segment.write("nonsense") }
            #expect(error == JemallocError(key: segment.name, operation: .write("nonsense"), errno: EINVAL))
            #expect(try segment.read() == "disabled")
        }

        @Test func aLiteralIndexNeedsNoPlaceholder() throws {
            let arena = try Arena(ArenaConfiguration(muzzyDecayMilliseconds: 77))
            #expect(try ControlKey<Int>("arena.\(arena.index).muzzy_decay_ms").read() == 77)
            try ControlKey<Void>("arena.\(arena.index).purge").call()
        }

        @Test(arguments: ["no.such.key", "", ".", "arena.0.nonsense", "arena.x.purge", "stats.allocated.more"])
        func unknownKeysAreRefused(name: String) {
            let error = refusal { () throws(JemallocError) in _ = try ControlKey<Int>(name) }
            #expect(error == JemallocError(key: name, operation: .lookUp, errno: ENOENT))
        }

        @Test func keysOfThreadCachesAreRefused() {
            for name in ["tcache.create", "tcache.flush", "tcache.destroy"] {
                let error = refusal { () throws(JemallocError) in _ = try ControlKey<UInt32>(name) }
                #expect(error == JemallocError(key: name, operation: .lookUp, errno: EPERM))
            }
            let error = refusal { () throws(JemallocError) in _ = try ControlKey<Void>("tcache.create") }
            #expect(error?.errno == EPERM)
        }

        @Test func aTypeOfAnotherSizeIsRefused() throws {
            let narrow = try ControlKey<UInt32>("stats.allocated")
            let error = refusal { () throws(JemallocError) in _ = try narrow.read() }
            #expect(error == JemallocError(key: "stats.allocated", operation: .read, errno: EINVAL))
            let arena = try Arena()
            let wide = try ControlKey<Bool>("arena.<i>.dirty_decay_ms").at(arena.index)
            let write = refusal { () throws(JemallocError) in try wide.write(true) }
            #expect(write == JemallocError(key: wide.name, operation: .write("true"), errno: EINVAL))
        }

        @Test func theWrongUseIsRefused() throws {
            let constant = try ControlKey<Int>("arenas.page")
            let write = refusal { () throws(JemallocError) in try constant.write(1) }
            #expect(write == JemallocError(key: "arenas.page", operation: .write("1"), errno: EPERM))
            let action = try ControlKey<Int>("thread.idle")
            let read = refusal { () throws(JemallocError) in _ = try action.read() }
            #expect(read == JemallocError(key: "thread.idle", operation: .read, errno: EPERM))
            let incomplete = try ControlKey<Int>("arena.0")
            #expect(refusal { () throws(JemallocError) in _ = try incomplete.read() }?.errno == ENOENT)
        }

        /// Each of these reads or writes beyond jemalloc's tables, or means all arenas, when jemalloc is left to it.
        @Test func indicesOfNothingAreRefused() throws {
            let arenas = try Build.arenaIndexCount
            let decay = try ControlKey<Int>("arena.<i>.dirty_decay_ms")
            for index in [-1, arenas, 4096, 4097, Int.max] {
                let error = refusal { () throws(JemallocError) in _ = try decay.at(index).read() }
                #expect(error == JemallocError(key: "arena.\(index).dirty_decay_ms", operation: .read, errno: ENOENT))
                #expect(refusal { () throws(JemallocError) in try decay.at(index).write(5) }?.errno == ENOENT)
            }
            let purge = try ControlKey<Void>("arena.<i>.purge")
            for index in [-1, arenas, 4097] {
                let error = refusal { () throws(JemallocError) in try purge.at(index).call() }
                #expect(error == JemallocError(key: "arena.\(index).purge", operation: .call, errno: ENOENT))
            }
            try purge.at(4096).call()
            let literal = try ControlKey<Int>("arena.4096.dirty_decay_ms")
            #expect(refusal { () throws(JemallocError) in _ = try literal.read() }?.errno == ENOENT)
            let bins = try Build.binCount
            let size = try ControlKey<Int>("arenas.bin.<i>.size")
            #expect(try size.at(bins - 1).read() > 0)
            #expect(refusal { () throws(JemallocError) in _ = try size.at(bins).read() }?.errno == ENOENT)
            let regions = try ControlKey<Int>("stats.arenas.<i>.bins.<j>.curregs")
            #expect(refusal { () throws(JemallocError) in _ = try regions.at(0).at(bins).read() }?.errno == ENOENT)
            #expect(refusal { () throws(JemallocError) in _ = try regions.at(arenas).at(0).read() }?.errno == ENOENT)
            let large = try ControlKey<Int>("arenas.lextent.<i>.size")
            let classes = try Build.largeClassCount
            #expect(refusal { () throws(JemallocError) in _ = try large.at(classes).read() }?.errno == ENOENT)
        }

        @Test func aMissingIndexIsRefused() throws {
            let key = try ControlKey<Int>("stats.arenas.<i>.bins.<j>.curregs").at(0)
            let error = refusal { () throws(JemallocError) in _ = try key.read() }
            #expect(error == JemallocError(key: "stats.arenas.0.bins.<j>.curregs", operation: .read, errno: EINVAL))
            let action = try ControlKey<Void>("arena.<i>.purge")
            #expect(refusal { () throws(JemallocError) in try action.call() }?.errno == EINVAL)
        }

        @Test func anIndexTooManyStopsTheProgram() async {
            expectMessage(
                "the control key arenas.page has no further index",
                of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    _ = try ControlKey<Int>("arenas.page").at(0)
                })
        }

        @Test func threadsShareAKey() async throws {
            let key = try ControlKey<Int>("arenas.bin.<i>.size")
            let bins = try Build.binCount
            let expected = try (0..<bins).map { try key.at($0).read() }
            #expect(expected == expected.sorted())
            try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<8 { group.addTask { try (0..<bins).map { try key.at($0).read() } } }
                for try await sizes in group { #expect(sizes == expected) }
            }
        }
    }
}
