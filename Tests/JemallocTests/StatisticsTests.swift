import Foundation
import Testing

@testable import Jemalloc

extension JemallocTests {
    struct StatisticsTests {
        @Test func figuresChangeWithTheEpochOnly() throws {
            let arena = try Arena()
            let epoch = try Statistics.refresh()
            let before = try Statistics.arena(arena.index)
            let block = unsafe try mallocx(3 << 20, arena.flags)
            #expect(try Statistics.arena(arena.index) == before)
            #expect(try Statistics.refresh() > epoch)
            let after = try Statistics.arena(arena.index)
            #expect(after.large.allocated - before.large.allocated == 3 << 20)
            #expect(after.activePages - before.activePages >= 3 << 8)
            #expect(after.mapped - before.mapped >= 3 << 20)
            #expect(after.large.allocations == before.large.allocations + 1)
            #expect(try Statistics.arena(0).uptimeNanoseconds > 0)
            #expect(after.base > 0)
            #expect(after.boundThreads == 0)
            unsafe dallocx(block, arena.flags)
        }

        @Test func theProcessFiguresAreInOrder() throws {
            let arena = try Arena()
            let block = unsafe try mallocx(5 << 20, arena.flags)
            try Statistics.refresh()
            let process = try Statistics.process()
            #expect(process.allocated >= 5 << 20)
            #expect(process.active >= process.allocated)
            #expect(process.resident >= process.active)
            #expect(process.mapped >= process.active)
            #expect(process.metadata > 0)
            #expect(process.retained >= 0)
            let all = try Statistics.allArenas()
            #expect(all.small.allocated + all.large.allocated == process.allocated)
            #expect(all.activePages * (try Build.pageSize) == process.active)
            unsafe dallocx(block, arena.flags)
        }

        @Test func aNewArenaAppearsWithTheRefresh() throws {
            let arena = try Arena()
            let index = arena.index
            let error = refusal { () throws(JemallocError) in _ = try Statistics.arena(index) }
            #expect(error == JemallocError(key: "stats.arenas.\(index).nthreads", operation: .read, errno: ENOENT))
            try Statistics.refresh()
            #expect(try Statistics.arena(index).small.allocated == 0)
        }

        @Test func destroyedArenasAreSummed() throws {
            func destroyAnArena() throws {
                let arena = try Arena()
                _ = unsafe try mallocx(1 << 20, arena.flags)
                try arena.destroy()
            }
            try destroyAnArena()
            try Statistics.refresh()
            let before = try Statistics.destroyedArenas()
            try destroyAnArena()
            try Statistics.refresh()
            let after = try Statistics.destroyedArenas()
            #expect(after.large.allocations == before.large.allocations + 1)
        }

        @Test func indicesOfNothingAreRefused() throws {
            let arenas = UInt32(try Build.arenaIndexCount)
            let bins = try Build.binCount
            let classes = try Build.largeClassCount
            #expect(refusal { () throws(JemallocError) in _ = try Statistics.arena(arenas) }?.errno == ENOENT)
            #expect(
                refusal { () throws(JemallocError) in _ = try Statistics.bin(arena: 0, bin: bins) }?.errno == ENOENT)
            #expect(refusal { () throws(JemallocError) in _ = try Statistics.bin(arena: 0, bin: -1) }?.errno == ENOENT)
            let error = refusal { () throws(JemallocError) in
                _ = try Statistics.largeClass(arena: 0, largeClass: classes)
            }
            #expect(error == JemallocError(key: "arenas.lextent.\(classes).size", operation: .read, errno: ENOENT))
        }

        @Test func aBinCountsItsRegions() throws {
            let arena = try Arena()
            let bin = try binIndex(ofSize: 256)
            try Statistics.refresh()
            let before = try Statistics.bin(arena: arena.index, bin: bin)
            #expect(before.regionSize == 256)
            #expect(before.slabSize == Int(before.regionsPerSlab) * 256)
            #expect(before.currentRegions == 0)
            #expect(before.currentSlabs == 0)
            let count = Int(before.regionsPerSlab) + 1
            let blocks = try unsafe (0..<count).map { _ in try unsafe mallocx(256, arena.flags) }
            try Statistics.refresh()
            let full = try Statistics.bin(arena: arena.index, bin: bin)
            #expect(full.currentRegions == count)
            #expect(full.currentSlabs == 2)
            #expect(full.slabs == 2)
            #expect(full.allocations == UInt64(count))
            #expect(full.deallocations == 0)
            #expect(full.requests == UInt64(count))
            unsafe blocks.forEach { unsafe dallocx($0, arena.flags) }
            try Statistics.refresh()
            let empty = try Statistics.bin(arena: arena.index, bin: bin)
            #expect(empty.currentRegions == 0)
            #expect(empty.deallocations == UInt64(count))
        }

        @Test func aLargeClassCountsItsBlocks() throws {
            let arena = try Arena()
            let sizes = try ControlKey<Int>("arenas.lextent.<i>.size")
            let largeClass = try #require(
                try (0..<(try Build.largeClassCount)).first { try sizes.at($0).read() == 128 << 10 })
            let block = unsafe try mallocx(128 << 10, arena.flags)
            try Statistics.refresh()
            let used = try Statistics.largeClass(arena: arena.index, largeClass: largeClass)
            #expect(used.size == 128 << 10)
            #expect(used.currentBlocks == 1)
            #expect(used.allocations == 1)
            #expect(used.requests == 1)
            unsafe dallocx(block, arena.flags)
            try Statistics.refresh()
            let freed = try Statistics.largeClass(arena: arena.index, largeClass: largeClass)
            #expect(freed.currentBlocks == 0)
            #expect(freed.deallocations == 1)
        }
    }

    struct StatisticsReportTests {
        private func parse(_ contents: Statistics.Contents) throws -> [String: Any] {
            let object = try JSONSerialization.jsonObject(with: Data(Statistics.json(contents).utf8))
            let root = try #require(object as? [String: Any])
            return try #require(root["jemalloc"] as? [String: Any])
        }

        @Test func theReportIsJSONAndAgreesWithTheFigures() throws {
            let arena = try Arena()
            let block = unsafe try mallocx(7 << 20, arena.flags)
            let report = try parse(.all)
            #expect(report["version"] as? String == (try Version.linked.description))
            let arenas = try #require(report["stats.arenas"] as? [String: Any])
            let own = try #require(arenas["\(arena.index)"] as? [String: Any])
            let large = try #require(own["large"] as? [String: Any])
            #expect(large["allocated"] as? Int == 7 << 20)
            #expect((own["bins"] as? [Any])?.count == (try Build.binCount))
            unsafe dallocx(block, arena.flags)
        }

        @Test(arguments: (0..<9).map { Statistics.Contents(rawValue: 1 << $0) })
        func eachPartAloneAndMissingIsJSON(part: Statistics.Contents) throws {
            let alone = try parse(part)
            #expect((alone["version"] != nil) == (part == .general))
            #expect((try parse(.all.subtracting(part))["version"] == nil) == (part == .general))
        }

        @Test func partsAreLeftOut() throws {
            let arena = try Arena()
            let totals = try parse(.totals)
            let arenas = try #require(totals["stats.arenas"] as? [String: Any])
            #expect(arenas["merged"] != nil)
            #expect(arenas["\(arena.index)"] == nil)
            let merged = try #require(try parse([.allArenas, .bins])["stats.arenas"] as? [String: Any])
            #expect((merged["merged"] as? [String: Any])?["bins"] != nil)
            #expect((arenas["merged"] as? [String: Any])?["bins"] == nil)
        }

        @Test func theTextIsForPeople() throws {
            let text = Statistics.text(.totals)
            #expect(text.hasPrefix("___ Begin jemalloc statistics ___"))
            #expect(text.contains("Version: \"\(try Version.linked)\""))
            #expect(Statistics.text().utf8.count > text.utf8.count)
        }

        /// jemalloc aborts the process when an arena goes while it prints, so the two exclude each other.
        @Test func arenasMayGoWhileReportsArePrinted() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<100 {
                        var arenas: [UInt32] = []
                        for _ in 0..<10 {
                            let arena = try Arena()
                            arenas.append(arena.index)
                            try arena.destroy()
                        }
                        #expect(arenas.count == 10)
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        for _ in 0..<100 {
                            let isWhole = Statistics.json(.arenas).hasSuffix("}}}}")
                            #expect(isWhole)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
