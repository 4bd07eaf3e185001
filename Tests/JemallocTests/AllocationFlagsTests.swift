import Jemalloc
import Testing

extension JemallocTests {
    struct AllocationFlagsTests {
        /// The expected numbers are written out from the macros in jemalloc.h.
        @Test func bitsAreThoseOfTheHeader() {
            #expect(AllocationFlags().rawValue == 0)
            #expect(AllocationFlags.alignment(1).rawValue == 0)
            #expect(AllocationFlags.alignment(64).rawValue == 6)
            #expect(AllocationFlags.alignment(2 << 20).rawValue == 21)
            #expect(AllocationFlags.alignment(1 << 40).rawValue == 40)
            #expect(AllocationFlags.zeroed.rawValue == 0x40)
            #expect(AllocationFlags.withoutThreadCache.rawValue == 0x100)
            #expect(AllocationFlags.threadCache(0).rawValue == 0x200)
            #expect(AllocationFlags.threadCache(5).rawValue == 0x700)
            #expect(AllocationFlags.arena(0).rawValue == 1 << 20)
            #expect(AllocationFlags.arena(3).rawValue == 4 << 20)
            #expect(AllocationFlags(rawValue: 70) == .alignment(64) | .zeroed)
        }

        @Test func combiningKeepsEveryField() {
            let flags: AllocationFlags = [.alignment(4096), .zeroed, .arena(4094), .threadCache(4093)]
            #expect(flags.alignment == 4096)
            #expect(flags.isZeroed)
            #expect(flags.arenaIndex == 4094)
            #expect(flags.threadCacheIndex == 4093)
            #expect(!flags.isWithoutThreadCache)
            #expect(flags == AllocationFlags.zeroed.union(.alignment(4096)) | .arena(4094) | .threadCache(4093))
            #expect(flags.union(.zeroed) == flags)
            #expect(flags.description == "alignment 4096, zeroed, arena 4094, thread cache 4093")
        }

        @Test func absentFieldsReadAsAbsent() {
            let none: AllocationFlags = []
            #expect(none.alignment == nil)
            #expect(!none.isZeroed)
            #expect(none.arenaIndex == nil)
            #expect(none.threadCacheIndex == nil)
            #expect(!none.isWithoutThreadCache)
            #expect(none.description == "no flags")
            #expect(AllocationFlags.withoutThreadCache.isWithoutThreadCache)
            #expect(AllocationFlags.withoutThreadCache.threadCacheIndex == nil)
            #expect(AllocationFlags.withoutThreadCache.description == "no thread cache")
        }

        @Test func twoValuesForOneFieldAreIncompatible() {
            #expect(!AllocationFlags.alignment(64).isCompatible(with: .alignment(128)))
            #expect(!AllocationFlags.arena(1).isCompatible(with: .arena(2)))
            #expect(!AllocationFlags.threadCache(1).isCompatible(with: .withoutThreadCache))
            #expect(AllocationFlags.arena(1).isCompatible(with: .arena(1)))
            #expect(AllocationFlags.arena(1).isCompatible(with: .threadCache(1) | .alignment(64) | .zeroed))
        }

        @Test func impossibleValuesStopTheProgram() async {
            expectMessage(
                "an alignment must be a power of two, not 0",
                of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    _ = AllocationFlags.alignment(0)
                })
            expectMessage(
                "an alignment must be a power of two, not 96",
                of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    _ = AllocationFlags.alignment(96)
                })
            expectMessage(
                "jemalloc has arenas 0 to 4094, not 4095",
                of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    _ = AllocationFlags.arena(4095)
                })
            expectMessage(
                "jemalloc has explicit thread caches 0 to 4093, not 4094",
                of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    _ = AllocationFlags.threadCache(4094)
                })
        }

        #if DEBUG
        @Test func combiningTwoArenasStopsADebugBuild() async {
            expectMessage(
                "two alignments, two arenas or two thread caches cannot be combined",
                of: await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    _ = AllocationFlags.arena(1) | .arena(2)
                })
        }
        #endif
    }
}
