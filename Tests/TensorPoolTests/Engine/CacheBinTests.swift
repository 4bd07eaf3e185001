import PoolModel
import Testing

@testable import TensorPool

/// A thread's bin against a plain array: what is kept, in which order, and what was counted.
@Suite struct CacheBinTests {
    /// A bin, with the memory of its entries.
    private static func withBin(capacity: Int, _ body: (inout CacheBin) throws -> Void) rethrows {
        let memory = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: capacity + 1)
        defer { unsafe memory.deallocate() }
        var bin = unsafe CacheBin(entries: memory + 1, capacity: capacity, granules: 0)
        try unsafe body(&bin)
    }

    private static let longestInterval = unsafe Int32(CacheBin.longestSampleInterval)

    private static func address(_ number: Int) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(bitPattern: 64 * (number + 1))!
    }

    @Test func aClosedBinKeepsNothing() {
        unsafe Self.withBin(capacity: 4) { bin in
            #expect(unsafe bin.isEmpty && bin.isFull && bin.count == 0 && bin.limit == 0)
            #expect(unsafe !bin.pushNewest(Self.address(1)))
            #expect(unsafe bin.popNewest() == nil)
            unsafe bin.open()
            #expect(unsafe bin.isEmpty && !bin.isFull && bin.limit == 1)
            #expect(unsafe bin.pushNewest(Self.address(1)) && !bin.pushNewest(Self.address(2)))
            #expect(unsafe bin.close() == Self.address(1))
            #expect(unsafe bin.close() == nil && bin.limit == 0 && bin.count == 0 && !bin.pushNewest(Self.address(1)))
        }
    }

    @Test(arguments: [2048, 16384])
    func samplesGetRarerUpToTheLongestInterval(longest: Int) {
        unsafe Self.withBin(capacity: 1) { bin in
            var sampled: [Int] = []
            for allocation in 1...50_000 {
                if unsafe bin.untilSample == 0 { sampled.append(allocation) }
                unsafe bin.countMiss(longestInterval: Int32(longest))
                #expect(unsafe bin.allocations == allocation)
            }
            let first = unsafe CacheBin.firstSampleInterval
            let expected =
                longest == first
                ? Array(stride(from: first, through: 50_000, by: first))
                : [2048, 4096, 8192, 16384, 32768, 49152]
            #expect(sampled == expected)
        }
    }

    @Test func aBinThatMayKeepNothingCanBeFilledToHandOn() {
        unsafe Self.withBin(capacity: 4) { bin in
            unsafe bin.entries[0] = Self.address(1)
            unsafe bin.fill(1)
            #expect(unsafe bin.count == 1 && !bin.isEmpty && bin.isFull)
            #expect(unsafe bin.pop() == Self.address(1))
            #expect(unsafe bin.isEmpty && bin.count == 0)
        }
    }

    @Test(arguments: [1, 2, 4, 128])
    func aBinIsAStack(capacity: Int) {
        var random = SeededRandom(SeededRandom.runSeed("CacheBinTests.aBinIsAStack"))
        unsafe Self.withBin(capacity: capacity) { bin in
            var model: [UnsafeMutableRawPointer] = unsafe []
            var (limit, allocations, misses, frees, next, idleSince) = (0, 0, 0, 0, 0, 0)
            for step in 0..<20_000 {
                switch random.below(10) {
                case 0, 1, 2:
                    next += 1
                    let isKept = unsafe bin.pushNewest(Self.address(next))
                    #expect(isKept == (unsafe model.count < limit), "step \(step)")
                    if isKept {
                        unsafe model.append(Self.address(next))
                        frees += 1
                    }
                case 3, 4, 5:
                    // The hot path leaves the last one before a sample alone.
                    guard unsafe bin.untilSample > 0 else { break }
                    let newest = unsafe bin.popNewest()
                    #expect(unsafe newest == model.popLast(), "step \(step)")
                    if unsafe newest != nil {
                        unsafe bin.untilSample -= 1
                        allocations += 1
                    }
                case 6:
                    allocations += 1
                    if unsafe bin.isEmpty {
                        unsafe bin.countMiss(longestInterval: Self.longestInterval)
                        misses += 1
                    } else {
                        unsafe bin.countServed(longestInterval: Self.longestInterval)
                        #expect(unsafe bin.pop() == model.popLast(), "step \(step)")
                    }
                case 7:
                    unsafe bin.countFree()
                    frees += 1
                    if unsafe !bin.isFull {
                        next += 1
                        unsafe bin.push(Self.address(next))
                        unsafe model.append(Self.address(next))
                    }
                case 8:
                    // The older ones go, as in a flush.
                    let keeping = random.below(unsafe model.count + 1)
                    unsafe bin.rearrange { entries, count in
                        #expect(
                            unsafe Array(UnsafeBufferPointer(start: entries, count: count)) == model, "step \(step)")
                        unsafe entries.update(from: entries + (count - keeping), count: keeping)
                        return keeping
                    }
                    unsafe model.removeFirst(model.count - keeping)
                default:
                    let isIdle = unsafe bin.takeIdleness()
                    #expect(isIdle == (allocations == idleSince), "step \(step)")
                    idleSince = allocations
                    if unsafe model.isEmpty {
                        limit = random.below(capacity + 1)
                        unsafe bin.limit = limit
                    } else if limit < capacity {
                        limit += 1
                        unsafe bin.limit = limit
                    }
                }
                #expect(
                    unsafe bin.count == model.count && bin.limit == limit && bin.capacity == capacity, "step \(step)")
                #expect(unsafe bin.isEmpty == model.isEmpty && bin.isFull == (model.count >= limit), "step \(step)")
                #expect(unsafe bin.allocations == allocations && bin.frees == frees, "step \(step)")
                #expect(unsafe bin.misses == misses, "step \(step)")
            }
            #expect(allocations > 2000 && frees > 1000 && misses > 100)
            // A trial's pair is taken back, whether the bin served it or not.
            for pairMisses in 0...1 {
                unsafe bin.forget(BinCounts(allocations: 1, frees: 1, misses: pairMisses))
                allocations -= 1
                frees -= 1
                misses -= pairMisses
                #expect(unsafe bin.allocations == allocations && bin.frees == frees && bin.misses == misses)
            }
        }
    }
}
