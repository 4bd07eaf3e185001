import Foundation
import Testing

@testable import Jemalloc

extension JemallocTests {
    struct ArenaSettingsTests {
        @Test func aPlainArenaHasJemallocsSettings() throws {
            let arena = try Arena()
            #expect(try arena.dirtyDecayMilliseconds == ControlKey<Int>("arenas.dirty_decay_ms").read())
            #expect(try arena.muzzyDecayMilliseconds == ControlKey<Int>("arenas.muzzy_decay_ms").read())
            #expect(try arena.oversizeThreshold == ControlKey<Int>("opt.oversize_threshold").read())
            #expect(try arena.retainGrowLimit > 1 << 40)
        }

        @Test func aConfigurationIsApplied() throws {
            let arena = try Arena(
                ArenaConfiguration(
                    name: "tensors", dirtyDecayMilliseconds: 1500, muzzyDecayMilliseconds: -1,
                    oversizeThreshold: 1 << 40, retainGrowLimit: 64 << 20))
            #expect(try arena.dirtyDecayMilliseconds == 1500)
            #expect(try arena.muzzyDecayMilliseconds == -1)
            #expect(try arena.oversizeThreshold == 1 << 40)
            #expect(try arena.retainGrowLimit == 64 << 20)
            // A name is in the reports, where jemalloc has names.
            #expect(Statistics.json().contains("tensors") == Build.hasArenaNames)
        }

        @Test func settingsAreChangedAndReadBack() throws {
            let arena = try Arena()
            try arena.setDirtyDecayMilliseconds(0)
            try arena.setMuzzyDecayMilliseconds(250)
            try arena.setOversizeThreshold(Int.max)
            try arena.setRetainGrowLimit(1 << 30)
            #expect(try arena.dirtyDecayMilliseconds == 0)
            #expect(try arena.muzzyDecayMilliseconds == 250)
            #expect(try arena.oversizeThreshold == Int.max)
            #expect(try arena.retainGrowLimit == 1 << 30)
            try Statistics.refresh()
            #expect(try Statistics.arena(arena.index).muzzyDecayMilliseconds == 250)
        }

        @Test func settingsOutOfRangeAreRefusedAndChangeNothing() throws {
            let arena = try Arena(ArenaConfiguration(dirtyDecayMilliseconds: 5, muzzyDecayMilliseconds: 6))
            let index = arena.index
            func expect(
                _ error: JemallocError?, _ setting: String, _ value: String, _ errno: Int32,
                _ location: SourceLocation = #_sourceLocation
            ) {
                let key = "arena.\(index).\(setting)"
                #expect(
                    error == JemallocError(key: key, operation: .write(value), errno: errno), sourceLocation: location)
            }
            let limit = try arena.retainGrowLimit
            let threshold = try arena.oversizeThreshold
            var errors: [JemallocError?] = []
            do throws(JemallocError) { try arena.setDirtyDecayMilliseconds(-2) } catch { errors.append(error) }
            do throws(JemallocError) { try arena.setMuzzyDecayMilliseconds(Int.min) } catch { errors.append(error) }
            do throws(JemallocError) { try arena.setOversizeThreshold(-1) } catch { errors.append(error) }
            do throws(JemallocError) { try arena.setRetainGrowLimit(-1) } catch { errors.append(error) }
            do throws(JemallocError) { try arena.setRetainGrowLimit(0) } catch { errors.append(error) }
            try #require(errors.count == 5)
            expect(errors[0], "dirty_decay_ms", "-2", EFAULT)
            expect(errors[1], "muzzy_decay_ms", "\(Int.min)", EFAULT)
            expect(errors[2], "oversize_threshold", "-1", EINVAL)
            expect(errors[3], "retain_grow_limit", "-1", EINVAL)
            expect(errors[4], "retain_grow_limit", "0", EFAULT)
            #expect(try arena.dirtyDecayMilliseconds == 5)
            #expect(try arena.muzzyDecayMilliseconds == 6)
            #expect(try arena.oversizeThreshold == threshold)
            #expect(try arena.retainGrowLimit == limit)
        }

        @Test func aRefusedConfigurationLeavesNoArena() throws {
            do { _ = try Arena() }
            let before = try Build.arenaIndexCount
            for configuration in [
                ArenaConfiguration(dirtyDecayMilliseconds: -5), ArenaConfiguration(muzzyDecayMilliseconds: -5),
                ArenaConfiguration(oversizeThreshold: -5), ArenaConfiguration(retainGrowLimit: -5),
            ] {
                let error = refusal { () throws(JemallocError) in _ = try Arena(configuration) }
                #expect(error?.operation == .write("-5"))
            }
            #expect(try Build.arenaIndexCount == before)
        }

        @Test func largeExtentsStayDirtyWithAHighOversizeThreshold() throws {
            func dirtyPagesAfterFreeing(_ configuration: ArenaConfiguration) throws -> Int {
                let arena = try Arena(configuration)
                let block = unsafe try mallocx(16 << 20, arena.flags)
                unsafe touch(block, 16 << 20)
                unsafe sdallocx(block, 16 << 20, arena.flags)
                try Statistics.refresh()
                return try Statistics.arena(arena.index).dirtyPages
            }
            #expect(try dirtyPagesAfterFreeing(ArenaConfiguration(oversizeThreshold: 8 << 20)) == 0)
            #expect(try dirtyPagesAfterFreeing(ArenaConfiguration(oversizeThreshold: 1 << 40)) >= 4096)
        }
    }

    struct PurgingTests {
        /// An arena with 4 MiB of dirty pages that stay.
        private func dirtyArena() throws -> Arena {
            let arena = try Arena(ArenaConfiguration(dirtyDecayMilliseconds: -1, muzzyDecayMilliseconds: 0))
            let block = unsafe try mallocx(4 << 20, arena.flags)
            unsafe touch(block, 4 << 20)
            unsafe dallocx(block, arena.flags)
            try Statistics.refresh()
            let statistics = try Statistics.arena(arena.index)
            #expect(statistics.dirtyPages >= 1024)
            #expect(statistics.resident >= 4 << 20)
            #expect(statistics.dirtyPurging.pages == 0)
            return arena
        }

        private func expectClean(_ arena: borrowing Arena) throws {
            try Statistics.refresh()
            let statistics = try Statistics.arena(arena.index)
            #expect(statistics.dirtyPages == 0)
            #expect(statistics.resident < 4 << 20)
            #expect(statistics.dirtyPurging.pages >= 1024)
            #expect(statistics.dirtyPurging.sweeps >= 1)
            #expect(statistics.dirtyPurging.systemCalls >= 1)
        }

        @Test func purgeGivesDirtyPagesBack() throws {
            let arena = try dirtyArena()
            try arena.purge()
            try expectClean(arena)
        }

        @Test func purgingAllReachesThisArenaToo() throws {
            let arena = try dirtyArena()
            try Arena.purgeAll()
            try expectClean(arena)
        }

        @Test func decayFollowsTheDecayTime() throws {
            let arena = try dirtyArena()
            try arena.decay()
            try Statistics.refresh()
            #expect(try Statistics.arena(arena.index).dirtyPages >= 1024, "-1 never purges")
            // Changing the time starts it anew, so the pages are still there; then they go in steps.
            try arena.setDirtyDecayMilliseconds(50)
            try decayUntilNothingIsDirty(arena)
            try expectClean(arena)
        }

        /// Gives up after a minute, where 50 ms should do.
        private func decayUntilNothingIsDirty(_ arena: borrowing Arena) throws {
            var dirtyPages = Int.max
            for _ in 0..<6000 where dirtyPages > 0 {
                try arena.decay()
                try Statistics.refresh()
                dirtyPages = try Statistics.arena(arena.index).dirtyPages
                Thread.sleep(forTimeInterval: 0.01)
            }
            #expect(dirtyPages == 0)
        }

        @Test func withoutADecayTimeNothingStaysDirty() throws {
            let arena = try dirtyArena()
            try arena.setDirtyDecayMilliseconds(0)
            try expectClean(arena)
        }

        @Test func theSecondStageHoldsPagesThatWereDirty() throws {
            let arena = try dirtyArena()
            try arena.setMuzzyDecayMilliseconds(-1)
            try arena.setDirtyDecayMilliseconds(50)
            try decayUntilNothingIsDirty(arena)
            #expect(try Statistics.arena(arena.index).muzzyPages >= 1024)
            try arena.purge()
            try Statistics.refresh()
            let statistics = try Statistics.arena(arena.index)
            #expect(statistics.muzzyPages == 0)
            #expect(statistics.muzzyPurging.pages >= 1024)
        }
    }
}
