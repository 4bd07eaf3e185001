internal import CThreadSlot

/// Sets tensor memory to a value.
enum Filling {
    /// From this size on the memory cannot stay in the core's own caches, so streaming stores leave them to others.
    static let streamingByteCount = 4 << 20

    /// Sets `byteCount` bytes at a 64-byte aligned address.
    ///
    /// With `vectorized`, 64 bytes a step, streaming past the cache from ``streamingByteCount`` on; without, as the
    /// C library's `memset` does it.
    static func fill(_ address: UnsafeMutableRawPointer, with value: UInt8, byteCount: Int, vectorized: Bool) {
        guard vectorized else {
            unsafe address.initializeMemory(as: UInt8.self, repeating: value, count: byteCount)
            return
        }
        let whole = byteCount & ~63
        if whole >= streamingByteCount {
            unsafe tensorpool_fill_streaming(address, value, whole)
        } else {
            let pattern = SIMD64<UInt8>(repeating: value)
            for offset in stride(from: 0, to: whole, by: 64) {
                unsafe (address + offset).storeBytes(of: pattern, as: SIMD64<UInt8>.self)
            }
        }
        unsafe (address + whole).initializeMemory(as: UInt8.self, repeating: value, count: byteCount - whole)
    }
}

extension Filling {
    /// How many pages a trial touches.
    private static let trialPages = 4

    /// What the first use of a fresh tensor takes: a byte is written in each of its first pages, as the caller will do.
    /// All of them would cost the trial more than it may, and make memory resident that the caller may never use. What the
    /// bytes held is unspecified or zero, and a zero stays one.
    ///
    /// Only page faults count: the processor's own caches have to be filled wherever the memory came from, and that time
    /// would drown the rest. Where each page faults, so will those that were not touched; where only some do, the others
    /// are there, or came with them as a huge page.
    static func firstTouch(_ bytes: UnsafeMutableRawBufferPointer) -> TrialCost {
        let pages = (bytes.count + SystemMemory.pageByteCount - 1) / SystemMemory.pageByteCount
        let touched = min(pages, trialPages)
        let start = MonotonicClock.now()
        let faults = SystemMemory.threadPageFaults
        for page in 0..<touched {
            unsafe bytes.storeBytes(of: 0, toByteOffset: page * SystemMemory.pageByteCount, as: UInt8.self)
        }
        let faulted = SystemMemory.threadPageFaults - faults
        let spent = max(0, Double(MonotonicClock.now() - start) - MonotonicClock.cost)
        let share = faulted >= touched ? Double(pages) / Double(touched) : 1
        return TrialCost(nanoseconds: faulted > 0 ? spent * share : 0, spent: spent)
    }
}

/// What a trial told, and what it took.
struct TrialCost: Sendable {
    /// Nanoseconds that each such use costs.
    var nanoseconds: Double
    /// Nanoseconds that the trial itself took.
    var spent: Double
}
