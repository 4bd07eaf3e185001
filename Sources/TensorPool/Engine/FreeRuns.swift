internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The runs of free granules of a heap: the memory of their lists, which ``RunLists`` works on.
@safe struct FreeRuns: ~Copyable {
    typealias Found = RunLists.Found

    /// Granule numbers end here.
    static let maximumGranules = RunLists.maximumGranules

    private(set) var lists: RunLists
    /// Granules that there are nodes for.
    private(set) var capacity: Int

    /// - Parameter capacity: granules; numbers start at 1.
    init(capacity: Int = 1 << 10) {
        self.capacity = capacity
        guard let nodes = unsafe Self.allocateNodes(capacity) else {
            stopProgram("no memory for the bookkeeping of \(capacity) granules")
        }
        let heads = UnsafeMutableRawPointer.allocate(byteCount: RunLists.headByteCount, alignment: 64)
        unsafe heads.initializeMemory(as: UInt8.self, repeating: 0, count: RunLists.headByteCount)
        lists = unsafe RunLists(nodes: nodes, heads: heads)
    }

    deinit {
        unsafe free(lists.nodes)
        unsafe UnsafeMutableRawPointer(lists.occupied).deallocate()
    }

    /// Nodes of zero, in memory that takes no pages before it is used; nil where there is no memory for them.
    private static func allocateNodes(_ count: Int) -> UnsafeMutablePointer<RunLists.Node>? {
        guard let memory = unsafe calloc(count + 2, MemoryLayout<RunLists.Node>.stride) else { return nil }
        return unsafe memory.bindMemory(to: RunLists.Node.self, capacity: count + 2)
    }

    /// Bytes that the nodes of so many granules take.
    static func byteCount(ofGranules count: Int) -> Int { count * MemoryLayout<RunLists.Node>.stride }

    /// Makes room for granules below `needed`; false, and no change, where there is no memory for it. Cost: a copy of the
    /// nodes that there are.
    @discardableResult mutating func grow(to needed: Int) -> Bool {
        guard needed > capacity else { return true }
        guard !FaultInjection.refuses(.bookkeeping), let larger = unsafe Self.allocateNodes(needed) else {
            return false
        }
        unsafe larger.update(from: lists.nodes, count: capacity + 2)
        unsafe free(lists.nodes)
        lists = unsafe RunLists(nodes: larger, heads: UnsafeMutableRawPointer(lists.occupied))
        capacity = needed
        return true
    }

    /// A free run of at least `count`, if there is one.
    func find(_ count: Int) -> Found { lists.find(count) }

    /// Adds granules of which nothing is in use, apart from all others.
    mutating func add(_ start: Int, _ count: Int) { lists.add(start, count) }

    /// Takes `count` granules from `start` out of the run that begins at `run`.
    mutating func take(_ start: Int, _ count: Int, from run: Int) { lists.take(start, count, from: run) }

    /// Takes the first `count` granules of a run that was found, where nothing has changed since.
    mutating func take(_ count: Int, of found: Found) { lists.take(count, of: found) }

    /// Makes granules free, and one run with their free neighbours.
    @inline(__always)
    mutating func give(_ start: Int, _ count: Int) {
        let lists = lists
        lists.give(start, count)
    }

    /// Makes the last `count` granules of a taken span free; the span is longer than that.
    mutating func giveEnd(_ start: Int, _ count: Int) { lists.giveEnd(start, count) }

    /// The length of the free run that begins at a granule; 0 where none does.
    func length(ofRunAt granule: Int) -> Int { lists.length(ofRunAt: granule) }

    /// All runs, by address.
    func sortedRuns() -> [Range<Int>] { lists.sortedRuns() }
}
