import PoolModel
import Synchronization
import Testing

@testable import TensorPool

/// An address that nothing is read from or written to.
private func address(_ number: Int) -> UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(bitPattern: 1 << 30 + number * 64)!
}

@Suite struct AddressStackTests {
    @Test func theLastOnePushedComesFirst() {
        var stack = AddressStack()
        #expect(unsafe stack.pop() == nil)
        for number in 0..<1000 { unsafe stack.push(address(number)) }
        #expect(stack.count == 1000)
        for number in (900..<1000).reversed() { #expect(unsafe stack.pop() == address(number)) }
        var many = unsafe (0..<50).map { unsafe address($0) }
        let taken = unsafe many.withUnsafeMutableBufferPointer { unsafe stack.pop(50, into: $0.baseAddress!) }
        #expect(taken == 50 && stack.count == 850)
        #expect(unsafe many == (850..<900).map { unsafe address($0) }, "in the order they were pushed")
        let isKept = unsafe many.withUnsafeMutableBufferPointer { unsafe stack.push($0.baseAddress!, 50) }
        #expect(unsafe isKept && stack.pop() == address(899))
        unsafe many = unsafe [UnsafeMutableRawPointer](repeating: address(0), count: 2000)
        let rest = unsafe many.withUnsafeMutableBufferPointer { unsafe stack.pop(2000, into: $0.baseAddress!) }
        #expect(rest == 899 && stack.count == 0)
    }
}

@Suite struct DepotTests {
    private func put(_ numbers: [Int], _ index: Int, into depot: inout Depot) {
        let entries = unsafe numbers.map { unsafe address($0) }
        let isThere = unsafe entries.withUnsafeBufferPointer { entries in
            unsafe depot.put(entries.baseAddress!, entries.count, class: index)
        }
        #expect(isThere)
    }

    @Test func bytesAreThoseOfTheBlocks() {
        var depot = Depot()
        put([1], 0, into: &depot)
        put([2], 5, into: &depot)
        put([3, 4], 5, into: &depot)
        #expect(depot.byteCount == SizeClass.byteCount(0) + 3 * SizeClass.byteCount(5))
        #expect(depot.count(ofClass: 5) == 3 && depot.count(ofClass: 1) == 0)
        #expect(unsafe depot.take(class: 5) == address(4))
        #expect(unsafe depot.take(class: 1) == nil)
        var got = unsafe [address(0), address(0), address(0)]
        let taken = unsafe got.withUnsafeMutableBufferPointer { unsafe depot.take(3, class: 5, into: $0.baseAddress!) }
        #expect(taken == 2)
        #expect(unsafe got.prefix(2) == [address(2), address(3)])
        #expect(depot.byteCount == SizeClass.byteCount(0))
    }

    @Test func whatWasUsedIsNoLongerPrewarmed() {
        var depot = Depot()
        var entries = unsafe (0..<10).map { unsafe address($0) }
        unsafe entries.withUnsafeMutableBufferPointer {
            let isThere = unsafe depot.putPrewarmed($0.baseAddress!, 10, class: 3)
            #expect(isThere)
        }
        let size = SizeClass.byteCount(3)
        #expect(depot.prewarmedByteCount == 10 * size)
        for _ in 0..<4 { _ = unsafe depot.take(class: 3) }
        #expect(depot.prewarmedByteCount == 6 * size)
        put(Array(0..<4), 3, into: &depot)
        #expect(depot.prewarmedByteCount == 6 * size, "used blocks come back as cached ones")
        for _ in 0..<4 { _ = unsafe depot.take(class: 3) }
        #expect(depot.prewarmedByteCount == 6 * size, "and are used first")
        #expect(depot.byteCount == 6 * size)
    }
}

@Suite struct WeightStoreTests {
    private static let chunkByteCount = 2 << 20

    private static func place(_ store: inout WeightStore, _ byteCount: Int, alignment: Int = 64) -> (
        address: UnsafeMutableRawPointer, isZero: Bool, growth: Int
    )? {
        guard let place = store.place(byteCount, alignment: alignment) else { return nil }
        let before = store.countedBytes
        let weight = unsafe store.take(chunk: place.chunk, offset: place.offset, byteCount: byteCount)
        #expect(store.countedBytes - before == place.growth, "what was announced is what is counted")
        return unsafe (weight.address, weight.isZero, place.growth)
    }

    @Test func weightsStandOneBehindTheOther() throws {
        var store = WeightStore()
        #expect(store.place(1, alignment: 64) == nil)
        unsafe store.add(address(0), byteCount: Self.chunkByteCount)
        let first = unsafe try #require(Self.place(&store, 100))
        let second = unsafe try #require(Self.place(&store, 64))
        let third = unsafe try #require(Self.place(&store, 5000))
        #expect(unsafe second.address - first.address == 128 && third.address - second.address == 64)
        #expect(unsafe first.isZero && !second.isZero && !third.isZero, "only pages nobody used are known to be zero")
        #expect(unsafe [first.growth, second.growth, third.growth] == [4096, 0, 4096])
        #expect(store.liveBytes == 5164 && store.weights == 3 && store.countedBytes == 8192)
        let aligned = unsafe try #require(Self.place(&store, 10, alignment: 65536))
        #expect(unsafe aligned.address - first.address == 65536)

        // The room of the last one is used again, that of another when the chunk is empty.
        var removed = unsafe store.remove(aligned.address, byteCount: 10)
        #expect(removed == nil)
        removed = unsafe store.remove(first.address, byteCount: 100)
        #expect(removed == nil && store.weights == 2)
        let again = unsafe try #require(Self.place(&store, 64))
        #expect(unsafe again.address == aligned.address && again.growth == 0 && !again.isZero)
        removed = unsafe store.remove(again.address, byteCount: 64)
        #expect(removed == nil)
        removed = unsafe store.remove(second.address, byteCount: 64)
        #expect(removed == nil)
        removed = unsafe store.remove(third.address, byteCount: 5000)
        let chunk = try #require(removed)
        #expect(unsafe chunk.address == address(0) && chunk.counted == 69_632)
        #expect(store.countedBytes == 0 && store.liveBytes == 0 && store.weights == 0 && store.chunks.isEmpty)
    }

    @Test func whatDoesNotFitGoesIntoAnotherChunk() throws {
        var store = WeightStore()
        unsafe store.add(address(0), byteCount: Self.chunkByteCount)
        _ = unsafe try #require(Self.place(&store, Self.chunkByteCount - 64))
        let last = unsafe try #require(Self.place(&store, 64))
        #expect(unsafe last.address - address(0) == Self.chunkByteCount - 64, "the last 64 bytes are used too")
        #expect(store.place(1, alignment: 64) == nil)
        unsafe store.add(address(1 << 20), byteCount: Self.chunkByteCount)
        #expect(store.place(Self.chunkByteCount + 1, alignment: 64) == nil)
        let next = unsafe try #require(Self.place(&store, Self.chunkByteCount))
        #expect(unsafe next.address == address(1 << 20))
        #expect(store.countedBytes == 2 * Self.chunkByteCount)
    }
}

@Suite struct RecordStoreTests {
    @Test func recordsAreAlignedAndApart() {
        var store = RecordStore()
        #expect(unsafe MemoryLayout<BlockRecord>.stride == 16)
        #expect(unsafe MemoryLayout<RecordChunk>.size <= MemoryLayout<BlockRecord>.stride)
        #expect(unsafe MemoryLayout<WideDescription>.stride == MemoryLayout<BlockRecord>.stride)
        var all: Set<UInt> = []
        var entries = unsafe [UnsafeMutableRawPointer](repeating: address(0), count: 100)
        for _ in 0..<20 {
            let count = unsafe entries.withUnsafeMutableBufferPointer { unsafe store.take(100, into: $0.baseAddress!) }
            #expect(count > 0)
            for index in 0..<count { all.insert(UInt(bitPattern: unsafe entries[index])) }
        }
        let apart = zip(all.sorted(), all.sorted().dropFirst()).allSatisfy { $1 - $0 >= 16 }
        #expect(all.count > 1500 && apart && all.allSatisfy { $0 % 8 == 0 })
        #expect(store.byteCount >= all.count * 16)
    }

    @Test func whatComesBackIsHandedOutAgainBeforeThereIsAnotherChunk() {
        var random = SeededRandom(SeededRandom.runSeed("RecordStoreTests"))
        var store = RecordStore()
        var out: [UnsafeMutableRawPointer] = unsafe []
        var most = 0
        for _ in 0..<2000 {
            let wanted = Int.random(in: 1...64, using: &random)
            if Bool.random(using: &random) {
                var entries = unsafe [UnsafeMutableRawPointer](repeating: address(0), count: wanted)
                let count = unsafe entries.withUnsafeMutableBufferPointer {
                    unsafe store.take(wanted, into: $0.baseAddress!)
                }
                unsafe out += entries.prefix(count)
            } else {
                unsafe out.shuffle(using: &random)
                let count = unsafe min(wanted, out.count)
                var entries = unsafe Array(out.suffix(count))
                unsafe out.removeLast(count)
                unsafe entries.withUnsafeMutableBufferPointer { buffer in
                    if let first = buffer.baseAddress { unsafe store.put(first, count) }
                }
            }
            unsafe most = max(most, out.count)
            #expect(unsafe Set(out).count == out.count)
        }
        // Full chunks, and a list of them.
        let chunks = (most + RecordChunk.capacity - 1) / RecordChunk.capacity
        #expect(store.byteCount <= chunks * 4096 + 64 * 8)
    }

    @Test func onlyLiveOnesAreVisited() {
        var store = RecordStore()
        var entries = unsafe [UnsafeMutableRawPointer](repeating: address(0), count: 10)
        _ = unsafe entries.withUnsafeMutableBufferPointer { unsafe store.take(10, into: $0.baseAddress!) }
        var states: [UInt64] = []
        for index in 0..<10 {
            let record = unsafe entries[index].assumingMemoryBound(to: BlockRecord.self)
            unsafe states.append(
                record.describeNarrowly(byteCount: 1 << 31, id: UInt64(index), step: RecordStatus.step(ofOwner: 7)))
            #expect(unsafe record.tensor == (UInt64(index), 1 << 31))
        }
        #expect(states.allSatisfy { RecordStatus.owner(of: $0) == 7 })
        #expect(states.allSatisfy { $0 & RecordStatus.mask == RecordStatus.live })
        let record = unsafe entries[3].assumingMemoryBound(to: BlockRecord.self)
        unsafe record.pointee.state.store(RecordStatus.freed(states[3]), ordering: .relaxed)
        var seen: Set<UInt64> = []
        unsafe store.forEachLive { unsafe seen.insert($0.tensor.id) }
        #expect(seen == [0, 1, 2, 4, 5, 6, 7, 8, 9])
        let next = unsafe record.describeNarrowly(byteCount: 1, id: 3, step: RecordStatus.step(ofOwner: 7))
        #expect(next == states[3] + RecordStatus.generationStep)
    }

    @Test func anIdAndASizeOfAnyWidthAreDescribed() throws {
        var random = SeededRandom(SeededRandom.runSeed("RecordStoreTests.anIdAndASizeOfAnyWidthAreDescribed"))
        var store = RecordStore()
        let count = 3 * RecordChunk.capacity
        var entries = unsafe [UnsafeMutableRawPointer](repeating: address(0), count: count)
        unsafe entries.withUnsafeMutableBufferPointer { buffer in
            var taken = 0
            while taken < count { unsafe taken += store.take(count - taken, into: buffer.baseAddress! + taken) }
        }
        let narrowBytes = store.byteCount
        let step = RecordStatus.step(ofOwner: 7)
        let edge: UInt64 = 1 << 32
        var expected: [(id: UInt64, byteCount: Int)] = []
        // Of the first chunk that there is, no description is wide; of the second a last one, of the third all kinds.
        for index in 0..<count {
            let record = unsafe entries[index].assumingMemoryBound(to: BlockRecord.self)
            var tensor = (id: edge - 1, byteCount: Int(edge - 1))
            if index >= 2 * RecordChunk.capacity {
                tensor.id = [0, edge - 1, edge, UInt64.max, random.next()].randomElement(using: &random)!
                tensor.byteCount = [1, Int(edge - 1), Int(edge), 1 << 46].randomElement(using: &random)!
            } else if index == 2 * RecordChunk.capacity - 1 {
                tensor.id = edge
            }
            expected.append(tensor)
            let isWide = tensor.id >= edge || tensor.byteCount >= Int(edge)
            if isWide, unsafe record.chunk.pointee.wideDescriptions.load(ordering: .relaxed) == 0 {
                #expect(unsafe record.describe(byteCount: tensor.byteCount, id: tensor.id, step: step) == nil)
                #expect(unsafe record.pointee.state.load(ordering: .relaxed) == RecordStatus.freed(0))
            }
            #expect(unsafe store.prepare(record, byteCount: tensor.byteCount, id: tensor.id))
            #expect(unsafe record.describe(byteCount: tensor.byteCount, id: tensor.id, step: step) != nil)
        }
        for index in 0..<count {
            let record = unsafe entries[index].assumingMemoryBound(to: BlockRecord.self)
            #expect(unsafe record.tensor == expected[index], "record \(index)")
        }
        #expect(store.byteCount == narrowBytes + 2 * 4096, "two chunks of three have wide descriptions")
    }

    @Test func aStateTellsGenerationOwnerAndStatus() {
        var free = RecordStatus.freed(0)
        for generation in 1...1000 {
            let owners = [0, 1, 7, RecordStatus.noOwner - 1, RecordStatus.noOwner]
            let owner = owners[generation % 5]
            let state = free &+ RecordStatus.step(ofOwner: owner)
            #expect(RecordStatus.owner(of: state) == owner)
            #expect(state & RecordStatus.mask == RecordStatus.live)
            #expect(state / RecordStatus.generationStep == UInt64(generation))
            #expect(!RecordStatus.isSameTensor(free, state))
            for other in owners {
                #expect(RecordStatus.isLive(state, ofOwnerWith: RecordStatus.step(ofOwner: other)) == (other == owner))
            }
            // Claimed or freed, it is the same tensor still, and no live one.
            let claimed = state - RecordStatus.live + RecordStatus.claimed
            #expect(RecordStatus.isSameTensor(state, claimed) && RecordStatus.owner(of: claimed) == owner)
            free = RecordStatus.freed(generation % 2 == 0 ? state : claimed)
            #expect(RecordStatus.isSameTensor(state, free) && free & RecordStatus.mask == RecordStatus.free)
            for ended in [claimed, free] {
                #expect(!owners.contains { RecordStatus.isLive(ended, ofOwnerWith: RecordStatus.step(ofOwner: $0)) })
            }
        }
    }
}
