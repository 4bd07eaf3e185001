import PoolModel
import Synchronization
import Testing

@testable import TensorPool

/// What every allocator promises, in every combination of pool, debugging mode and adaptor.
///
/// What belongs to pools alone (figures at each step, foreign handles, what a trim gives back) is in
/// `PoolConformanceTests`.
struct ConformanceTests {
    /// Around every border: classes, spans, slabs. The last ones are written to at their ends only.
    static let sizes = [
        1, 2, 63, 64, 65, 256, 257, 4095, 4096, 4097, 14_335, 14_336, 14_337, 16_384, 16_385, 32_767, 32_768, 32_769,
        65_536, 65_537, 1_000_000, 1 << 20, 1 << 20 + 1, 3_000_001, 16 << 20, 16 << 20 + 1, 100 << 20, 1 << 30,
    ]
    static let everyAlignment = (0...21).map { 1 << $0 }
}

extension PoolTests {
    /// One test at a time, like all that make pools.
    @Suite struct ConformanceSuite {
        @Test(arguments: Combination.all)
        func tensorsOfAllSizesLiveApart(_ combination: Combination) throws {
            try combination.check { allocator in
                var shadow = ShadowMap()
                var buffers: [(Owned, UInt64)] = []
                var handles: [(MemoryHandle, UInt64)] = []
                var live = 0
                for (round, role) in TensorRole.allCases.enumerated() {
                    for byteCount in combination.sizes.dropLast(round == 0 ? 0 : 3) {
                        let pattern = UInt64(byteCount + round)
                        let buffer = try allocator.own(byteCount, TensorTraits(role: role))
                        let isApart = shadow.insert(buffer.address, byteCount)
                        #expect(isApart && buffer.address % 64 == 0 && buffer.byteCount == byteCount)
                        buffer.fill(pattern)
                        buffers.append((buffer, pattern))
                        let handle = try allocator.allocateTensor(pattern, byteCount, TensorTraits(role: role))
                        let address = UInt(bitPattern: unsafe handle.baseAddress)
                        let isAlone = shadow.insert(address, byteCount)
                        #expect(isAlone && address % 64 == 0)
                        #expect(handle.byteCount == byteCount && handle.tensorID == pattern)
                        unsafe Fixtures.fill(handle.bytes, 3 &* pattern)
                        handles.append((handle, pattern))
                        live += 2 * byteCount
                    }
                }
                let statistics = allocator.statistics()
                #expect(statistics.liveBytes == live && statistics.liveTensors == buffers.count + handles.count)
                expectSums(statistics)
                for (buffer, pattern) in buffers { #expect(buffer.holds(pattern)) }
                for (handle, pattern) in handles {
                    #expect(unsafe Fixtures.holds(handle.bytes, 3 &* pattern))
                    try allocator.deallocateTensor(id: pattern, handle)
                }
            }
        }

        @Test(arguments: Combination.all)
        func everyAlignmentIsKept(_ combination: Combination) throws {
            try combination.check { allocator in
                for role in TensorRole.allCases {
                    for alignment in ConformanceTests.everyAlignment {
                        var live: [Owned] = []
                        for byteCount in [1, 5000, 20_000, 300_000] {
                            let isZeroed = (byteCount + alignment) % 3 == 0
                            let tensor = try allocator.own(
                                byteCount, alignment: alignment, zeroed: isZeroed, TensorTraits(role: role))
                            #expect(tensor.address % UInt(max(64, alignment)) == 0, "\(byteCount) at \(alignment)")
                            if isZeroed { #expect(tensor.isZero) }
                            tensor.fill(UInt64(byteCount))
                            live.append(tensor)
                        }
                        #expect(live.allSatisfy { $0.holds(UInt64($0.byteCount)) })
                    }
                }
            }
        }

        @Test(arguments: Combination.all)
        func zeroedIsZero(_ combination: Combination) throws {
            try combination.check { allocator in
                for byteCount in [1, 100, 14_337, 70_000, 500_001, 5 << 20 + 77] {
                    for role in TensorRole.allCases where byteCount < 1 << 20 || role != .temporary {
                        for alignment in [1, 4096, 2 << 20] where byteCount < 1 << 20 || alignment == 1 {
                            let traits = TensorTraits(role: role)
                            let dirty = try (0..<3).map { _ in
                                try allocator.own(byteCount, alignment: alignment, zeroed: false, traits)
                            }
                            for tensor in dirty { tensor.dirty() }
                        }
                        for alignment in [1, 4096, 2 << 20] where byteCount < 1 << 20 || alignment == 1 {
                            for _ in 0..<2 {
                                let tensor = try allocator.own(
                                    byteCount, alignment: alignment, zeroed: true, TensorTraits(role: role))
                                #expect(tensor.isZero, "\(byteCount) bytes at \(alignment), \(role)")
                                tensor.dirty()
                            }
                        }
                    }
                }
            }
        }

        @Test(arguments: Combination.all)
        func resizedTensorsKeepTheirContents(_ combination: Combination) throws {
            try combination.check { allocator in
                func check(_ pool: some TensorAllocator) throws {
                    var buffer = try pool.allocate(
                        byteCount: 10, alignment: 4096, zeroed: false, traits: TensorTraits())
                    var handle = try pool.allocateTensor(id: 7, byteCount: 10)
                    for byteCount in [1, 100, 4096, 9000, 14_000, 40_000, 100_000, 1 << 20, 50_000, 70, 9 << 20, 5] {
                        let (pattern, before) = (UInt64(byteCount), buffer.byteCount)
                        let kept = min(byteCount, before)
                        unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.fill($0, pattern) }
                        try pool.reallocate(&buffer, byteCount: byteCount, alignment: 4096)
                        let isKept = unsafe buffer.withUnsafeMutableBytes {
                            unsafe Fixtures.holds($0, first: kept, of: pattern, writtenTo: before)
                        }
                        let address = unsafe UInt(bitPattern: buffer.baseAddress)
                        #expect(isKept && buffer.byteCount == byteCount && address % 4096 == 0)

                        let old = handle
                        unsafe Fixtures.fill(old.bytes, pattern &+ 1)
                        handle = try pool.reallocateTensor(id: 7, old, byteCount: byteCount)
                        #expect(unsafe Fixtures.holds(handle.bytes, first: kept, of: pattern &+ 1, writtenTo: before))
                        #expect(handle.byteCount == byteCount)
                        #expect(pool.refusedFree(7, old) != nil, "the handle given is stale")
                        #expect(throws: TensorPoolError.self) {
                            try pool.reallocateTensor(id: 7, old, byteCount: 100)
                        }
                        #expect(pool.statistics().liveBytes == 2 * byteCount && pool.statistics().liveTensors == 2)
                        expectSums(pool.statistics())
                    }
                    try pool.deallocateTensor(id: 7, handle)
                }
                try check(allocator)
            }
        }

        @Test(arguments: Combination.all)
        func badRequestsAreRefusedAndChangeNothing(_ combination: Combination) throws {
            try combination.check { allocator in
                let kept = try ConformanceTests.sizes.prefix(20).map { try allocator.own($0) }
                for byteCount in ConformanceTests.sizes.prefix(24) { _ = try allocator.own(byteCount) }
                let handle = try allocator.allocateTensor(1, 3000)
                let other = try allocator.allocateTensor(2, 50_000)
                try allocator.deallocateTensor(id: 1, handle)
                // Another pool on the same base would do as well, but for the base itself, which frees its handles.
                let elsewhere = try TensorMemoryPool(HybridMemoryPool())
                let foreign = try elsewhere.allocateTensor(id: 3, byteCount: 100)
                let before = allocator.statistics()
                let maximum = Engine.maximumByteCount
                for byteCount in [0, -1, -64, -1 << 30, Int.min, Int.min + 1] {
                    #expect(allocator.refusedBuffer(byteCount) == .invalidByteCount(byteCount))
                    #expect(allocator.refusedTensor(byteCount) == .invalidByteCount(byteCount))
                }
                for byteCount in [maximum + 1, Int.max / 2, Int.max - 63, Int.max] {
                    // A budget is asked first, and says what it has.
                    guard let error = allocator.refusedBuffer(byteCount) else { throw NothingFound() }
                    #expect(allocator.refusedTensor(byteCount) == error)
                    if case .limitReached = error { continue }
                    #expect(error == .byteCountTooLarge(byteCount: byteCount, maximum: maximum))
                }
                for alignment in [0, -1, -64, 3, 48, 63, 65, 4 << 20, Int.max, Int.min] {
                    for byteCount in [100, 20_000, 1 << 20] {
                        #expect(
                            allocator.refusedBuffer(byteCount, alignment: alignment)
                                == .invalidAlignment(alignment, maximum: 2 << 20))
                    }
                }
                for role in TensorRole.allCases {
                    #expect(
                        allocator.refusedBuffer(100, TensorTraits(device: .gpu(1), role: role))
                            == .unsupportedDevice(.gpu(1)))
                }
                #expect(allocator.refusedTensor(100, device: .gpu(0)) == .unsupportedDevice(.gpu(0)))
                #expect(allocator.refusedFree(1, handle) == .freedTwice(tensorID: 1))
                #expect(allocator.refusedFree(1, other) == .wrongTensorID(given: 1, handle: 2))
                #expect(allocator.refusedFree(3, foreign) == .foreignHandle(tensorID: 3))
                #expect(allocator.statistics() == before)
                try allocator.deallocateTensor(id: 2, other)
                try elsewhere.deallocateTensor(id: 3, foreign)
                withExtendedLifetime(kept) {}
            }
        }

        @Test(arguments: Combination.all)
        func randomMixes(_ combination: Combination) throws {
            let seed = SeededRandom.runSeed("ConformanceSuite.randomMixes, \(combination.testDescription)")
            try combination.check { allocator in
                var random = SeededRandom(seed)
                var shadow = ShadowMap()
                var buffers: [(Owned, UInt64)] = []
                var handles: [(MemoryHandle, UInt64)] = []
                func freeOne() throws {
                    if random.below(2) == 0, !buffers.isEmpty {
                        let (buffer, pattern) = buffers.remove(at: random.below(buffers.count))
                        let isThere = shadow.remove(buffer.address, buffer.byteCount)
                        #expect(isThere && buffer.holds(pattern), "seed \(seed)")
                    } else if !handles.isEmpty {
                        let (handle, pattern) = handles.remove(at: random.below(handles.count))
                        let isThere = shadow.remove(UInt(bitPattern: unsafe handle.baseAddress), handle.byteCount)
                        #expect(unsafe isThere && Fixtures.holds(handle.bytes, pattern), "seed \(seed)")
                        try allocator.deallocateTensor(id: handle.tensorID, handle)
                        #expect(allocator.refusedFree(handle.tensorID, handle) != nil, "seed \(seed)")
                    }
                }
                for _ in 0..<600 {
                    let pattern = random.next()
                    let byteCount = 1 + random.below(1 << (1 + random.below(random.below(20) == 0 ? 24 : 17)))
                    let traits = TensorTraits(role: TensorRole.allCases[random.below(10) == 0 ? 2 : random.below(2)])
                    switch random.below(40) {
                    case 0..<12:
                        let alignment = 1 << random.below(random.below(8) == 0 ? 22 : 8)
                        let isZeroed = random.below(8) == 0
                        let buffer = try allocator.own(byteCount, alignment: alignment, zeroed: isZeroed, traits)
                        #expect(buffer.address % UInt(max(64, alignment)) == 0, "seed \(seed)")
                        if isZeroed { #expect(buffer.isZero, "seed \(seed)") }
                        let isApart = shadow.insert(buffer.address, byteCount)
                        #expect(isApart, "seed \(seed)")
                        buffer.fill(pattern)
                        buffers.append((buffer, pattern))
                    case 12..<20:
                        // Ids that a record holds, and ids that take a wide description.
                        let id = random.next() >> (random.below(2) == 0 ? 32 : 0)
                        let handle = try allocator.allocateTensor(id, byteCount, traits)
                        let isApart = shadow.insert(UInt(bitPattern: unsafe handle.baseAddress), byteCount)
                        #expect(isApart, "seed \(seed)")
                        unsafe Fixtures.fill(handle.bytes, pattern)
                        handles.append((handle, pattern))
                    case 20..<38: try freeOne()
                    case 38: if random.below(4) == 0 { _ = allocator.trim() }
                    default:
                        let statistics = allocator.statistics()
                        expectSums(statistics)
                        #expect(statistics.liveTensors == buffers.count + handles.count, "seed \(seed)")
                    }
                }
                while buffers.count + handles.count > 0 { try freeOne() }
            }
        }

        @Test(arguments: Combination.all)
        func whatOneThreadAllocatesAnotherFrees(_ combination: Combination) throws {
            try combination.check { allocator in
                // From here to a thread and back, then from thread to thread while all work, and while others are gone.
                let mailbox = Mutex<[Parcel]>([try Parcel(allocator, salt: 0)])
                @Sendable func put(_ salt: Int) {
                    do throws(TensorPoolError) {
                        let parcel = try Parcel(allocator, salt: salt)
                        mailbox.withLock { $0.insert(parcel, at: 0) }
                    } catch {
                        Issue.record("\(error)")
                    }
                }
                @Sendable func take() { mailbox.withLock { $0.popLast() }?.open(allocator) }
                onAnotherThread {
                    take()
                    put(1)
                }
                take()
                onThreads(3) { thread in
                    for round in 0..<3 {
                        put(10 * thread + round)
                        take()
                    }
                }
                #expect(mailbox.withLock { $0.isEmpty })
            }
        }
    }
}

/// Tensors that go from one thread to another.
private struct Parcel: Sendable {
    private var buffers: [(Owned, UInt64)] = []
    private var handles: [(MemoryHandle, UInt64)] = []

    init(_ allocator: any TensorAllocator, salt: Int) throws(TensorPoolError) {
        for byteCount in ConformanceTests.sizes.prefix(24) {
            let pattern = UInt64(byteCount &* 31 &+ salt)
            let buffer = try allocator.own(byteCount)
            buffer.fill(pattern)
            buffers.append((buffer, pattern))
            let handle = try allocator.allocateTensor(pattern, byteCount)
            unsafe Fixtures.fill(handle.bytes, ~pattern)
            handles.append((handle, pattern))
        }
    }

    /// Checks what is in the tensors, and frees them.
    func open(_ allocator: any TensorAllocator) {
        for (buffer, pattern) in buffers where !buffer.holds(pattern) {
            Issue.record("a buffer of \(buffer.byteCount) bytes changed")
        }
        for (handle, pattern) in handles {
            if unsafe !Fixtures.holds(handle.bytes, ~pattern) { Issue.record("\(handle) changed") }
            if let error = allocator.refusedFree(pattern, handle) { Issue.record("\(error)") }
        }
    }
}
