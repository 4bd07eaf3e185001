/// A thread's cached blocks of one size, most recently freed first, with the counts of that size. One cache line.
///
/// The addresses stand in an array apart from the blocks: a pop touches no user memory, and an overflow in a tensor
/// cannot take over a list.
@frozen @usableFromInline @unsafe struct CacheBin {
    /// The cached addresses, `count` of them; the last one freed is the last.
    @usableFromInline var entries: UnsafeMutablePointer<UnsafeMutableRawPointer>
    @usableFromInline var count: UInt32
    /// How many addresses may be kept now. Slow paths set it within the cache's byte budget.
    @usableFromInline var limit: UInt32
    /// The size of the cached spans in granules, or the class key in a bin of a size class.
    @usableFromInline var granules: Int
    /// Allocations of this size by this thread, hits and misses.
    @usableFromInline var allocations: Int
    /// Frees of this size by this thread.
    @usableFromInline var frees: Int
    /// Allocations that the cache could not serve.
    @usableFromInline var misses: Int
    /// `allocations` when the bin was last looked at for idleness.
    @usableFromInline var sweepMark: Int
    /// How many addresses fit into `entries`.
    @usableFromInline var capacity: Int

    init(entries: UnsafeMutablePointer<UnsafeMutableRawPointer>, capacity: Int, granules: Int) {
        unsafe self.entries = entries
        unsafe count = 0
        unsafe limit = 0
        unsafe self.granules = granules
        unsafe allocations = 0
        unsafe frees = 0
        unsafe misses = 0
        unsafe sweepMark = 0
        unsafe self.capacity = capacity
    }
}
