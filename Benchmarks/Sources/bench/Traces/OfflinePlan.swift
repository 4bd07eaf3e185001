import AllocationTrace

/// A place for every block of a trace in one slab, computed with the whole trace known: what no allocator can do.
///
/// Greedy by size: the largest blocks first, each at the lowest place that no block uses that is alive at the same time.
struct OfflinePlan {
    /// For each event its block's offset; for frees 0.
    let offsets: [Int64]
    let byteCount: Int

    private struct Block {
        let allocation: Int
        let end: Int
        let byteCount: Int
        var offset = -1
    }

    init(_ trace: AllocationTrace) {
        var blocks = Self.blocks(of: trace)
        let live = LiveBlocks(blocks.map { ($0.allocation, $0.end) }, eventCount: trace.events.count)
        var offsets = [Int64](repeating: 0, count: trace.events.count)
        var end = 0
        let order = blocks.indices.sorted {
            (blocks[$0].byteCount, -blocks[$0].allocation) > (blocks[$1].byteCount, -blocks[$1].allocation)
        }
        var neighbours: [(offset: Int, end: Int)] = []
        for index in order {
            let block = blocks[index]
            neighbours.removeAll(keepingCapacity: true)
            live.forEachAlive(with: index) { other in
                if blocks[other].offset >= 0 {
                    neighbours.append((blocks[other].offset, blocks[other].offset + blocks[other].byteCount))
                }
            }
            neighbours.sort { $0.offset < $1.offset }
            var offset = 0
            for neighbour in neighbours {
                if neighbour.offset - offset >= block.byteCount { break }
                offset = max(offset, neighbour.end)
            }
            blocks[index].offset = offset
            offsets[block.allocation] = Int64(offset)
            end = max(end, offset + block.byteCount)
        }
        self.offsets = offsets
        byteCount = end
    }

    /// Blocks in order of allocation, their sizes rounded up to 64 bytes.
    private static func blocks(of trace: AllocationTrace) -> [Block] {
        var ends = [Int](repeating: trace.events.count, count: trace.events.count)
        var allocationOfSlot = [Int](repeating: 0, count: trace.slotCount)
        for (index, event) in trace.events.enumerated() {
            if event.kind == .allocate {
                allocationOfSlot[Int(event.slot)] = index
            } else {
                ends[allocationOfSlot[Int(event.slot)]] = index
            }
        }
        return trace.events.enumerated().filter { $0.element.kind == .allocate }.map { index, event in
            Block(allocation: index, end: ends[index], byteCount: (event.byteCount + 63) & -64)
        }
    }
}

/// Tells which blocks are alive at the same time as a given one, without looking at all of them.
private struct LiveBlocks {
    private static let stride = 256
    private let lifetimes: [(start: Int, end: Int)]
    /// For each multiple of the stride the blocks alive just before that event.
    private var snapshots: [[Int]] = []
    /// For each event the number of blocks allocated before it.
    private var allocatedBefore: [Int] = []

    init(_ lifetimes: [(Int, Int)], eventCount: Int) {
        self.lifetimes = lifetimes.map { (start: $0.0, end: $0.1) }
        allocatedBefore.reserveCapacity(eventCount + 1)
        var next = 0
        var alive: [Int] = []
        for event in 0...eventCount {
            allocatedBefore.append(next)
            if event % Self.stride == 0 {
                alive.removeAll { self.lifetimes[$0].end < event }
                snapshots.append(alive)
            }
            if next < self.lifetimes.count, self.lifetimes[next].start == event {
                alive.append(next)
                next += 1
            }
        }
    }

    /// Calls the body with every other block whose life overlaps.
    func forEachAlive(with block: Int, _ body: (Int) -> Void) {
        let (start, end) = lifetimes[block]
        let snapshot = start / Self.stride
        for other in snapshots[snapshot] where lifetimes[other].end > start { body(other) }
        var other = allocatedBefore[snapshot * Self.stride]
        while other < lifetimes.count, lifetimes[other].start < end {
            if other != block, lifetimes[other].end > start { body(other) }
            other += 1
        }
    }
}
