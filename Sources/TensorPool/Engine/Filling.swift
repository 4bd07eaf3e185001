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
    private static let trialPages = 16

    /// Nanoseconds that the first use of a fresh tensor takes: a byte is written in each of its first pages, as the
    /// caller will do, and the time taken for as many pages as there are. All of them would cost the trial more than it
    /// may, and make memory resident that the caller may never use. What the bytes held is unspecified or zero, and a
    /// zero stays one.
    static func timeFirstTouch(_ bytes: UnsafeMutableRawBufferPointer) -> Double {
        let pages = (bytes.count + SystemMemory.pageByteCount - 1) / SystemMemory.pageByteCount
        let touched = min(pages, trialPages)
        let start = MonotonicClock.now()
        for page in 0..<touched {
            unsafe bytes.storeBytes(of: 0, toByteOffset: page * SystemMemory.pageByteCount, as: UInt8.self)
        }
        let nanoseconds = max(0, Double(MonotonicClock.now() - start) - MonotonicClock.cost)
        return nanoseconds * Double(pages) / Double(touched)
    }
}
