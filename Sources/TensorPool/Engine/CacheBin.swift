internal import Jemalloc

/// A thread's cached blocks of one size, most recently freed first, with the counts of that size. One cache line.
///
/// The newest block stands in a slot of its own, the others in an array, apart from all blocks: a pop touches no user
/// memory, and an overflow in a tensor cannot take over a list.
///
///     slot     ceiling       the slot: an address, or empty, or closed where the bin may keep nothing
///     [ E ]       v
///     null A B C D . . .     below the first entry stands a null: an empty array is known by what it yields
///                 ^ top
///
/// The slot is there for a loop over one tensor: a count or a top is read and written by the allocation and again by the
/// free, each waiting for the store before; an address in a slot is waited for once. 3.5 ns a pair in place of 5.5 was
/// measured with both written in C, no count of frees in the first (2-core x86-64 VM, medians of 7, 2026-11-23).
@frozen @usableFromInline @unsafe struct CacheBin {
    /// The block that was freed last, if that is not above 1: 0 where there is none, 1 where none may be kept.
    @usableFromInline var slot: UInt
    /// Where the next address goes that leaves the slot for the array.
    @usableFromInline var top: UnsafeMutablePointer<UnsafeMutableRawPointer>
    /// Where `top` may not pass. Slow paths set it within the cache's byte budget.
    @usableFromInline private(set) var ceiling: UnsafeMutablePointer<UnsafeMutableRawPointer>
    /// Allocations of this size that may follow before one is sampled.
    @usableFromInline var untilSample: Int32
    /// How many addresses may be kept now.
    private var keptLimit: UInt16
    /// How many addresses there is place for.
    private var place: UInt16
    /// The size of the cached spans in granules: what a bin that several sizes share keeps now.
    @usableFromInline var granules: UInt32
    /// `allocations` when the bin was last looked at for idleness, as far as it fits.
    private var sweepMark: UInt32
    /// What `allocations` is when `untilSample` has fallen to 0.
    private var allocationsAtSample: Int
    /// Allocations that the cache could not serve.
    var misses: Int
    /// Frees, less hits, less blocks kept: the hot path leaves it as it is, and so does a miss.
    private var balance: Int

    /// Makes an empty bin that may keep nothing yet. `entries` has place for `capacity` addresses, and one more below.
    init(entries: UnsafeMutablePointer<UnsafeMutableRawPointer>, capacity: Int, granules: Int) {
        unsafe UnsafeMutableRawPointer(entries - 1).storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
        unsafe slot = Self.closed
        unsafe top = unsafe entries
        unsafe ceiling = unsafe entries
        unsafe untilSample = Int32(Self.firstSampleInterval - 1)
        unsafe keptLimit = 0
        unsafe place = UInt16(capacity)
        unsafe self.granules = UInt32(granules)
        unsafe sweepMark = 0
        unsafe allocationsAtSample = Self.firstSampleInterval - 1
        unsafe misses = 0
        unsafe balance = 0
    }

    @usableFromInline static let empty: UInt = 0
    @usableFromInline static let closed: UInt = 1
    /// One in so many allocations of one size by one thread takes the slow path, which measures and settles: the 2,048th,
    /// 4,096th, 8,192nd, 16,384th, 32,768th, and from there on each 16,384th. The first samples tell soon what a size costs,
    /// the later ones are so few that they do not show in the slowest of a thousand allocations.
    static let firstSampleInterval = 2048
    static let longestSampleInterval = 16384
}

/// What slow paths do, with the engine's lock or in the owner's hot path.
extension CacheBin {
    var capacity: Int { unsafe Int(place) }

    /// Addresses kept.
    var count: Int { unsafe (slot > Self.closed ? 1 : 0) + (top - entries) }

    /// How many may be kept. A bin whose limit falls to 0 is emptied before.
    @inline(__always) var limit: Int {
        get { unsafe Int(keptLimit) }
        set {
            unsafe ceiling = unsafe entries + max(0, newValue - 1)
            if newValue == 0 {
                guard unsafe slot <= Self.closed else { stopProgram("the limit of a bin that keeps a block was taken") }
                unsafe slot = Self.closed
            } else if unsafe slot == Self.closed {
                unsafe slot = Self.empty
            }
            unsafe keptLimit = UInt16(newValue)
        }
    }

    @inline(__always) var isFull: Bool { unsafe !hasPlace }

    @inline(__always) var isEmpty: Bool { unsafe !hasNewest }

    /// The array; of an empty bin there may be written to it, and then ``fill(_:)`` called.
    var entries: UnsafeMutablePointer<UnsafeMutableRawPointer> { unsafe ceiling - max(0, Int(keptLimit) - 1) }

    /// Says that the array of an empty bin was filled with so many addresses.
    mutating func fill(_ count: Int) {
        unsafe balance -= count
        unsafe top = unsafe entries + count
        unsafe raiseToSlot()
    }

    /// Lets so many allocations go by before the first sample. For a bin that nothing was asked of yet.
    mutating func delayFirstSample(by count: Int) {
        unsafe allocationsAtSample = count
        unsafe untilSample = Int32(count)
    }

    /// Calls `body` with all addresses in a row, oldest first, and their number; it answers how many there are now.
    @inline(__always)
    mutating func rearrange(_ body: (UnsafeMutablePointer<UnsafeMutableRawPointer>, Int) -> Int) {
        if let newest = unsafe UnsafeMutableRawPointer(bitPattern: slot), unsafe slot > Self.closed {
            unsafe top.pointee = unsafe newest
            unsafe top += 1
            unsafe slot = Self.empty
        }
        let before = unsafe top - entries
        let after = unsafe body(entries, before)
        unsafe balance &+= before &- after
        unsafe top = unsafe entries + after
        unsafe raiseToSlot()
    }

    private mutating func raiseToSlot() {
        guard unsafe slot == Self.empty, unsafe top > entries else { return }
        unsafe top -= 1
        unsafe slot = unsafe UInt(bitPattern: top.pointee)
    }

    /// What a pop would yield.
    var newest: UnsafeMutableRawPointer? {
        if unsafe slot > Self.closed { return unsafe UnsafeMutableRawPointer(bitPattern: slot) }
        return unsafe UnsafeRawPointer(top - 1).load(as: UnsafeMutableRawPointer?.self)
    }

    /// Takes the newest address of a bin that has one.
    @inline(__always)
    mutating func pop() -> UnsafeMutableRawPointer {
        unsafe balance &+= 1
        if let newest = unsafe UnsafeMutableRawPointer(bitPattern: slot), unsafe slot > Self.closed {
            unsafe slot = Self.empty
            return unsafe newest
        }
        unsafe top -= 1
        return unsafe top.pointee
    }

    /// Keeps an address in a bin that is not full.
    @inline(__always)
    mutating func push(_ address: UnsafeMutableRawPointer) {
        unsafe balance &-= 1
        if let newest = unsafe UnsafeMutableRawPointer(bitPattern: slot) {
            unsafe top.pointee = unsafe newest
            unsafe top += 1
        }
        unsafe slot = UInt(bitPattern: address)
    }

    /// Gives a bin with a limit of 0 a limit of 1.
    @inline(__always)
    mutating func open() {
        unsafe slot = Self.empty
        unsafe keptLimit = 1
    }

    /// Takes what a bin with a limit of 1 keeps, and its right to keep anything.
    @inline(__always)
    mutating func close() -> UnsafeMutableRawPointer? {
        let newest = unsafe slot
        unsafe slot = Self.closed
        unsafe keptLimit = 0
        guard unsafe newest > Self.closed else { return nil }
        unsafe balance &+= 1
        return unsafe UnsafeMutableRawPointer(bitPattern: newest)
    }

    // MARK: - Counts

    /// Allocations of this size by this thread, hits and misses.
    var allocations: Int { unsafe allocationsAtSample - Int(untilSample) }

    /// Frees of this size by this thread.
    var frees: Int { unsafe balance + (allocations - misses) + count }

    /// Counts an allocation that the bin served, and not on the hot path.
    @inline(__always)
    mutating func countServed(longestInterval: Int32) {
        unsafe balance &-= 1
        unsafe countSample(longestInterval)
    }

    /// Counts an allocation that the bin could not serve.
    @inline(__always)
    mutating func countMiss(longestInterval: Int32) {
        unsafe misses &+= 1
        unsafe countSample(longestInterval)
    }

    private mutating func countSample(_ longestInterval: Int32) {
        if unsafe untilSample > 0 {
            unsafe untilSample &-= 1
        } else {
            let before = unsafe max(allocationsAtSample + 1, Self.firstSampleInterval)
            let interval = min(before, Int(longestInterval))
            unsafe allocationsAtSample += interval
            unsafe untilSample = Int32(interval - 1)
        }
    }

    /// Counts a free that the hot path did not.
    @inline(__always) mutating func countFree() { unsafe balance &+= 1 }

    /// Takes back what was counted.
    mutating func forget(_ counts: BinCounts) {
        unsafe allocationsAtSample -= counts.allocations
        unsafe misses -= counts.misses
        // Frees are counted from hits on.
        unsafe balance += counts.allocations - counts.misses - counts.frees
    }

    /// Whether there was no allocation since the call before.
    mutating func takeIdleness() -> Bool {
        let mark = unsafe UInt32(truncatingIfNeeded: allocations)
        defer { unsafe sweepMark = mark }
        return unsafe mark == sweepMark
    }
}
