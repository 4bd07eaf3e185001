/// The blocks of each size class that no thread has: where the threads' caches overflow to and refill from.
@safe struct Depot: ~Copyable {
    private var blocks: UnsafeMutablePointer<AddressStack>
    /// Of each class, how many of the oldest blocks were prewarmed and not used since.
    private var untouched = [Int](repeating: 0, count: SizeClass.count)
    /// Of each class, the fewest blocks there were since that was last asked.
    private var lowest = [Int](repeating: 0, count: SizeClass.count)
    /// Bytes of all blocks.
    private(set) var byteCount = 0

    init() {
        unsafe blocks = .allocate(capacity: SizeClass.count)
        for index in 0..<SizeClass.count { unsafe (blocks + index).initialize(to: AddressStack()) }
    }

    deinit {
        unsafe blocks.deinitialize(count: SizeClass.count)
        unsafe blocks.deallocate()
    }

    /// Bytes of blocks that were prewarmed and not used yet.
    var prewarmedByteCount: Int {
        (0..<SizeClass.count).reduce(0) { $0 + untouched[$1] * SizeClass.byteCount($1) }
    }

    /// Bytes of what remembers the blocks.
    var metadataByteCount: Int { (0..<SizeClass.count).reduce(0) { unsafe $0 + blocks[$1].byteCount } }

    func count(ofClass index: Int) -> Int { unsafe blocks[index].count }

    /// The fewest blocks of a class since the call before.
    mutating func takeLowest(ofClass index: Int) -> Int {
        defer { lowest[index] = unsafe blocks[index].count }
        return lowest[index]
    }

    /// Takes blocks in; false, and none, where there is no memory to remember them by.
    mutating func put(_ entries: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int, class index: Int) -> Bool {
        guard unsafe blocks[index].push(entries, count) else { return false }
        byteCount += count * SizeClass.byteCount(index)
        return true
    }

    mutating func take(_ wanted: Int, class index: Int, into entries: UnsafeMutablePointer<UnsafeMutableRawPointer>)
        -> Int
    {
        let taken = unsafe blocks[index].pop(wanted, into: entries)
        byteCount -= taken * SizeClass.byteCount(index)
        untouched[index] = unsafe min(untouched[index], blocks[index].count)
        lowest[index] = unsafe min(lowest[index], blocks[index].count)
        return taken
    }

    mutating func take(class index: Int) -> UnsafeMutableRawPointer? {
        guard let address = unsafe blocks[index].pop() else { return nil }
        byteCount -= SizeClass.byteCount(index)
        untouched[index] = unsafe min(untouched[index], blocks[index].count)
        lowest[index] = unsafe min(lowest[index], blocks[index].count)
        return unsafe address
    }

    /// Puts prewarmed blocks below all others: they are used last, and counted until then.
    mutating func putPrewarmed(_ entries: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int, class index: Int)
        -> Bool
    {
        guard unsafe blocks[index].insertBelow(entries, count) else { return false }
        byteCount += count * SizeClass.byteCount(index)
        untouched[index] += count
        return true
    }
}
