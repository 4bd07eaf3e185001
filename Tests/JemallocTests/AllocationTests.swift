import Foundation
import Jemalloc
import Testing

extension JemallocTests {
    struct AllocationTests {
        @Test(arguments: [1, 8, 63, 64, 4096, 32 << 10, 32 << 10 | 1, 1 << 20, 64 << 20])
        func blockIsWritableAndHasTheForetoldSize(byteCount: Int) throws {
            let arena = try Arena()
            let pointer = unsafe try mallocx(byteCount, arena.flags)
            unsafe memset(pointer, 0xA5, byteCount)
            #expect(unsafe pointer.load(fromByteOffset: byteCount - 1, as: UInt8.self) == 0xA5)
            #expect(try unsafe sallocx(pointer) == nallocx(byteCount))
            #expect(unsafe sallocx(pointer) >= byteCount)
            #expect(try unsafe Arena.index(of: pointer) == arena.index)
            unsafe sdallocx(pointer, byteCount, arena.flags)
        }

        @Test(arguments: (6...21).map { 1 << $0 })
        func addressHasTheAlignment(alignment: Int) throws {
            let arena = try Arena()
            for byteCount in [1, 100, alignment - 1, alignment, alignment + 1, 3 * alignment] {
                let flags = arena.flags | .alignment(alignment)
                let first = unsafe try mallocx(byteCount, flags)
                let second = unsafe try mallocx(byteCount, flags)
                #expect(UInt(bitPattern: first) % UInt(alignment) == 0)
                #expect(UInt(bitPattern: second) % UInt(alignment) == 0)
                #expect(try unsafe sallocx(first, flags) == nallocx(byteCount, flags))
                unsafe sdallocx(first, byteCount, flags)
                unsafe sdallocx(second, byteCount, flags)
            }
        }

        @Test(arguments: [64, 4096, 1 << 20])
        func zeroedMemoryIsZeroWhereDirtyMemoryWas(byteCount: Int) throws {
            let arena = try Arena(ArenaConfiguration(dirtyDecayMilliseconds: -1, muzzyDecayMilliseconds: -1))
            let dirty = unsafe try mallocx(byteCount, arena.flags)
            unsafe memset(dirty, 0xFF, byteCount)
            unsafe dallocx(dirty, arena.flags)
            let pointer = unsafe try mallocx(byteCount, arena.flags | .zeroed)
            // The same page, since large blocks start at a random cache line of theirs.
            #expect(UInt(bitPattern: pointer) >> 12 == UInt(bitPattern: dirty) >> 12, "else this test says nothing")
            #expect(unsafe UnsafeRawBufferPointer(start: pointer, count: byteCount).allSatisfy { $0 == 0 })
            unsafe dallocx(pointer, arena.flags)
        }

        @Test(arguments: [0, -1, Int.min])
        func sizesBelowOneAreRefused(byteCount: Int) throws {
            let block = unsafe try mallocx(64)
            defer { unsafe dallocx(block) }
            let refusals = [
                "mallocx": refusal { () throws(JemallocError) in _ = unsafe try mallocx(byteCount, .alignment(64)) },
                "rallocx": refusal { () throws(JemallocError) in
                    _ = unsafe try rallocx(block, byteCount, .alignment(64))
                },
                "xallocx": refusal { () throws(JemallocError) in
                    _ = unsafe try xallocx(block, byteCount, .alignment(64))
                },
                "nallocx": refusal { () throws(JemallocError) in _ = try nallocx(byteCount, .alignment(64)) },
            ]
            for (function, error) in refusals {
                let operation = JemallocError.Operation.allocate(byteCount: byteCount, flags: .alignment(64))
                #expect(error == JemallocError(key: function, operation: operation, errno: EINVAL))
            }
            #expect(unsafe sallocx(block) == 64)
        }

        @Test(arguments: [Int.max, 1 << 62, 1 << 50])
        func sizesThatNoMachineHasAreRefused(byteCount: Int) throws {
            let block = unsafe try mallocx(64)
            defer { unsafe dallocx(block) }
            unsafe memset(block, 7, 64)
            let allocation = refusal { () throws(JemallocError) in _ = unsafe try mallocx(byteCount) }
            let operation = JemallocError.Operation.allocate(byteCount: byteCount, flags: [])
            #expect(allocation == JemallocError(key: "mallocx", operation: operation, errno: ENOMEM))
            let growth = refusal { () throws(JemallocError) in _ = unsafe try rallocx(block, byteCount) }
            #expect(growth == JemallocError(key: "rallocx", operation: operation, errno: ENOMEM))
            #expect(unsafe block.load(fromByteOffset: 63, as: UInt8.self) == 7, "the block is as it was")
            #expect(unsafe try xallocx(block, byteCount) == 64)
        }

        @Test func alignmentsThatNoMachineHasAreRefused() {
            let error = refusal { () throws(JemallocError) in _ = unsafe try mallocx(64, .alignment(1 << 62)) }
            #expect(error?.errno == ENOMEM)
            #expect(refusal { () throws(JemallocError) in _ = try nallocx(Int.max) }?.errno == ENOMEM)
        }

        @Test func reallocationKeepsContents() throws {
            let arena = try Arena()
            var block = unsafe try mallocx(100, arena.flags)
            for index in 0..<100 { unsafe block.storeBytes(of: UInt8(index), toByteOffset: index, as: UInt8.self) }
            for byteCount in [1000, 1 << 20, 20 << 20, 100] {
                unsafe block = try rallocx(block, byteCount, arena.flags)
                #expect(try unsafe sallocx(block) == nallocx(byteCount))
                let contents = unsafe UnsafeRawBufferPointer(start: block, count: 100)
                #expect(unsafe contents.elementsEqual(0..<100))
            }
            unsafe dallocx(block, arena.flags)
        }

        @Test func resizingInPlaceSaysWhatItReached() throws {
            let arena = try Arena()
            let small = unsafe try mallocx(64, arena.flags)
            #expect(unsafe try xallocx(small, 128, arena.flags) == 64, "a region of a slab cannot grow")
            let large = unsafe try mallocx(1 << 20, arena.flags)
            #expect(unsafe try xallocx(large, 64 << 10, arena.flags) == 64 << 10)
            #expect(unsafe sallocx(large) == 64 << 10)
            let grown = unsafe try xallocx(large, 64 << 10, extra: 64 << 10, arena.flags)
            #expect(grown >= 64 << 10)
            #expect(unsafe sallocx(large) == grown)
            let error = refusal { () throws(JemallocError) in
                _ = unsafe try xallocx(large, 1 << 20, extra: -5, arena.flags)
            }
            #expect(error?.operation == .allocate(byteCount: -5, flags: arena.flags))
            #expect(error?.errno == EINVAL)
            unsafe dallocx(large, arena.flags)
            unsafe dallocx(small, arena.flags)
        }

        @Test func freedMemoryLeavesTheStatistics() throws {
            let arena = try Arena()
            let small = unsafe try mallocx(100, arena.flags)
            let large = unsafe try mallocx(100_000, arena.flags)
            try Statistics.refresh()
            #expect(try Statistics.arena(arena.index).small.allocated == nallocx(100))
            #expect(try Statistics.arena(arena.index).large.allocated == nallocx(100_000))
            unsafe dallocx(small, arena.flags)
            unsafe sdallocx(large, 100_000, arena.flags)
            try Statistics.refresh()
            #expect(try Statistics.arena(arena.index).small.allocated == 0)
            #expect(try Statistics.arena(arena.index).large.allocated == 0)
        }

        @Test func blocksAreFreedOnOtherThreads() async throws {
            let arena = try Arena()
            let flags = arena.flags
            try await withThrowingTaskGroup(of: [UInt].self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        try (0..<500).map { round in
                            let pointer = unsafe try mallocx(16 + (worker * 500 + round) % 5000, flags)
                            unsafe pointer.storeBytes(of: worker, as: Int.self)
                            return UInt(bitPattern: pointer)
                        }
                    }
                }
                var addresses: Set<UInt> = []
                for try await block in group { addresses.formUnion(block) }
                #expect(addresses.count == 2000, "no block was given twice")
                let all = addresses
                onAnotherThread {
                    for address in all { unsafe dallocx(UnsafeMutableRawPointer(bitPattern: address)!, flags) }
                }
            }
            try Statistics.refresh()
            let statistics = try Statistics.arena(arena.index)
            #expect(statistics.small.allocated == 0)
            #expect(statistics.small.allocations + statistics.large.allocations == 2000)
        }
    }
}
