/// The lists of the runs of free granules: kept joined at all times, found by length, in constant time.
///
///     classes      1 2 3 ... 31 | 32-33 34-35 ... | 64-67 68-71 ... |  ... none     sixteen to a doubling, exact below 32
///     occupied     0 1 0     1       1                  1                   1       a bit each
///     heads          |       |       |                  |                no granule
///                    v       v       v                  v
///     nodes        [tag next previous]  of the run's first granule; the tag again in that of its last
///
/// A request gets the newest run of its own class, whose memory is warm, if that is long enough; else the newest of the
/// next class that has any. What is over stays a run. A freed span looks at the tags of the granules before and behind it,
/// and becomes one run with what is free there.
///
/// That is "two-level segregated fit" (Masmano et al., ECRTS 2004) with a look at the own class before the next, and
/// tags apart from the memory they describe. As it is the newest of a class that is taken, its list's head, taking it needs
/// neither a search nor the run before it.
///
/// Compared on the bundled traces, placement alone, simulated, over the peak of live bytes (geometric means of the most
/// granules ever touched, 2026-11-30): 1.12; with eight classes to a doubling 1.13, with 32 1.12; the next class at once,
/// as the paper has it, 1.27; from the end of a run 1.18. Address-ordered first fit takes 1.13, and over a bitmap with
/// bounds nearly twice the instructions (2026-11-23).
///
/// A value of two pointers, that ``FreeRuns`` owns the memory of: in a local constant they stay in registers, where fields
/// of the heap would be read again after each store.
@safe struct RunLists {
    struct Node {
        /// Of the first and the last granule of a free run: its length. Zero in the first and last of a taken span and
        /// outside of slabs; anything in between, where nobody looks.
        var length: UInt32
        /// The first granules of the runs after and before in the class's list; 0 for none.
        var next: UInt32
        var previous: UInt32
    }

    /// A run that was found.
    struct Found {
        /// Its first granule, or, where there is no run, ``RunLists/noGranule``.
        let start: Int
        /// The class in whose list it is the first.
        fileprivate let index: Int

        var isNone: Bool { start == RunLists.noGranule }
    }

    /// Above all granules: so that who looks whether a run ends below some granule need not ask whether there is one.
    static let noGranule = Int(UInt32.max)

    /// Granule numbers end here: what the classes reach.
    static let maximumGranules = 1 << 28
    /// The class of one granule.
    private static let firstClass = classIndex(1)
    /// A class behind all others that counts as occupied: whoever looks for a run ends there, at ``noGranule``.
    private static let noClass = classIndex(maximumGranules) | 63
    private static let classCount = noClass + 1 - firstClass
    private static let occupiedWords = noClass >> 6 + 1 - firstClass >> 6
    /// Bytes at ``occupied``.
    static let headByteCount = occupiedWords * MemoryLayout<UInt64>.stride + classCount * MemoryLayout<UInt32>.stride

    /// By granule; number 0 is nobody's.
    let nodes: UnsafeMutablePointer<Node>
    /// A bit for each class that has runs, and behind these the heads.
    let occupied: UnsafeMutablePointer<UInt64>

    /// Lists in memory of zero at `heads`, or lists whose nodes moved.
    init(nodes: UnsafeMutablePointer<Node>, heads: UnsafeMutableRawPointer) {
        unsafe self.nodes = unsafe nodes
        unsafe occupied = heads.assumingMemoryBound(to: UInt64.self)
        unsafe word(Self.noClass).pointee |= Self.bit(Self.noClass)
        unsafe head(Self.noClass).pointee = UInt32(Self.noGranule)
    }

    /// The first granule of a class's newest run; 0 for none.
    @inline(__always) private func head(_ index: Int) -> UnsafeMutablePointer<UInt32> {
        unsafe UnsafeMutableRawPointer(occupied + Self.occupiedWords).assumingMemoryBound(to: UInt32.self)
            + (index &- Self.firstClass)
    }

    /// The word of ``occupied`` that has a class's bit.
    @inline(__always) private func word(_ index: Int) -> UnsafeMutablePointer<UInt64> {
        unsafe occupied + (index &>> 6 &- Self.firstClass &>> 6)
    }

    @inline(__always) private static func bit(_ index: Int) -> UInt64 { 1 &<< UInt64(index & 63) }

    // MARK: - Taking and giving

    /// Whether a run may be so long. Requests may be longer than any, and on the warm path no number at all.
    @inline(__always)
    static func canHold(_ count: Int) -> Bool { UInt(bitPattern: count &- 1) < UInt(maximumGranules &- 1) }

    /// A free run of at least `count`, if there is one.
    @inline(__always)
    func find(_ count: Int) -> Found {
        guard Self.canHold(count) else { return Found(start: Self.noGranule, index: Self.noClass) }
        let index = Self.classIndex(count)
        let newest = unsafe Int(head(index).pointee)
        // The node of number 0 has no length.
        if unsafe Int(nodes[newest].length) >= count { return Found(start: newest, index: index) }
        let next = nextOccupied(index &+ 1)
        return unsafe Found(start: Int(head(next).pointee), index: next)
    }

    /// Adds granules of which nothing is in use, apart from all others. What stood there and beside them before, in a slab
    /// that is gone, may have left tags.
    func add(_ start: Int, _ count: Int) {
        unsafe nodes[start &- 1].length = 0
        unsafe nodes[start &+ count].length = 0
        insert(start, count)
    }

    /// Takes `count` granules from `start` out of the run that begins at `run`. What is left of it on either side stays
    /// free.
    @inline(__always)
    func take(_ start: Int, _ count: Int, from run: Int) {
        let length = unsafe Int(nodes[run].length)
        remove(run, length)
        if start > run { insert(run, start &- run) }
        let rest = length &- count &- (start &- run)
        if rest > 0 { insert(start &+ count, rest) }
        unsafe nodes[start].length = 0
        unsafe nodes[start &+ count &- 1].length = 0
    }

    /// Takes the first `count` granules of a run that was found, where nothing has changed since.
    @inline(__always)
    func take(_ count: Int, of found: Found) {
        assert(!found.isNone)
        let start = found.start
        let node = unsafe nodes[start]
        // The first of its list.
        unsafe nodes[Int(node.next)].previous = 0
        unsafe head(found.index).pointee = node.next
        if node.next == 0 { setEmpty(found.index) }
        let rest = Int(node.length) &- count
        if rest > 0 { insert(start &+ count, rest) }
        unsafe nodes[start].length = 0
        unsafe nodes[start &+ count &- 1].length = 0
    }

    /// Makes granules free, and one run with their free neighbours.
    @inline(__always)
    func give(_ start: Int, _ count: Int) {
        var start = start
        var count = count
        let before = unsafe Int(nodes[start &- 1].length)
        let behind = unsafe Int(nodes[start &+ count].length)
        if behind != 0 {
            remove(start &+ count, behind)
            count &+= behind
        }
        if before != 0 {
            start &-= before
            remove(start, before)
            count &+= before
        }
        insert(start, count)
    }

    /// Makes the last `count` granules of a taken span free; the span is longer than that. What lies inside of a span has
    /// tags of earlier times, so the new last granule gets its own first.
    func giveEnd(_ start: Int, _ count: Int) {
        unsafe nodes[start - 1].length = 0
        give(start, count)
    }

    /// The length of the free run that begins at a granule; 0 where none does. Asked of the granule behind a span.
    func length(ofRunAt granule: Int) -> Int { unsafe Int(nodes[granule].length) }

    /// All runs, by address.
    func sortedRuns() -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in Self.firstClass..<Self.noClass {
            var run = unsafe Int(head(index).pointee)
            while run != 0 {
                runs.append(run..<run + (unsafe Int(nodes[run].length)))
                run = unsafe Int(nodes[run].next)
            }
        }
        return runs.sorted { $0.lowerBound < $1.lowerBound }
    }

    // MARK: - Lists

    /// The class of a length: the exponent and the first four binary places of the number as a `Double`. A conversion and a
    /// shift are four instructions; by the leading zeros it is nine, one of them slow on AMD before `lzcnt` may be used.
    @inline(__always)
    private static func classIndex(_ length: Int) -> Int { Int(truncatingIfNeeded: Double(length).bitPattern &>> 48) }

    @inline(__always)
    private func setEmpty(_ index: Int) {
        unsafe assert(word(index).pointee & Self.bit(index) != 0)
        unsafe word(index).pointee ^= Self.bit(index)
    }

    @inline(__always)
    private func insert(_ start: Int, _ length: Int) {
        assert(length > 0)
        let index = Self.classIndex(length)
        let head = unsafe head(index)
        let next = unsafe head.pointee
        let tag = UInt32(truncatingIfNeeded: length)
        let number = UInt32(truncatingIfNeeded: start)
        unsafe nodes[start &+ length &- 1].length = tag
        unsafe nodes[start] = Node(length: tag, next: next, previous: 0)
        unsafe nodes[Int(next)].previous = number
        unsafe head.pointee = number
        unsafe word(index).pointee |= Self.bit(index)
    }

    @inline(__always)
    private func remove(_ start: Int, _ length: Int) {
        let node = unsafe nodes[start]
        // The node of number 0 takes the stores for "none".
        unsafe nodes[Int(node.next)].previous = node.previous
        if node.previous != 0 {
            unsafe nodes[Int(node.previous)].next = node.next
        } else {
            let index = Self.classIndex(length)
            unsafe head(index).pointee = node.next
            if node.next == 0 { setEmpty(index) }
        }
    }

    /// The first class from `index` on that has runs, or ``noClass``.
    @inline(__always)
    private func nextOccupied(_ index: Int) -> Int {
        var place = index &>> 6
        var word = unsafe word(index).pointee & UInt64.max &<< UInt64(index & 63)
        while word == 0 {
            place &+= 1
            word = unsafe self.word(place &<< 6).pointee
        }
        return place &* 64 &+ word.trailingZeroBitCount
    }
}
