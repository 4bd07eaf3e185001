/// Asks for huge pages, a window of a slab at a time, as long as the system has them at hand.
///
/// A huge page costs one fault in place of 512, where the system has it ready: 0.3 ms here, against 2 ms for 512 small
/// pages. Where it must first be found (memory is fragmented, or the host of a virtual machine has to find it) the fault
/// took 13 to 25 ms, for dozens of pages on end (2-core x86-64 VM, 2026-11-23). So the first huge page of each window,
/// which is needed next anyway, is made resident by the pool, and timed; a second one too, for a thread can be interrupted.
/// If they were slow the rest of the window gets small pages, and the next window is a new chance.
@safe struct HugePageAdvice: Sendable {
    /// Bytes that are judged by their first page: 32 MiB. A probe of a slow supply costs as much as 16 MiB of small pages,
    /// a window that turns slow after its probe ten times its small pages.
    static let windowByteCount = 32 << 20
    /// From here on 512 small pages are cheaper.
    static let slowNanoseconds: UInt64 = 2_000_000

    /// Makes a range resident, and tells the nanoseconds that took; tests put their own here.
    var populate: @Sendable (UnsafeMutableRawPointer, Int) -> UInt64 = { address, byteCount in
        let start = MonotonicClock.now()
        unsafe SystemMemory.populate(address, byteCount)
        return MonotonicClock.now() - start
    }
    /// Windows that got huge pages, and windows that did not.
    private(set) var hugeWindows = 0
    private(set) var smallWindows = 0
    private var wasSlow = false

    /// Decides for one window of whole huge pages that nobody has used yet.
    mutating func advise(_ window: UnsafeMutableRawPointer, _ byteCount: Int) {
        let huge = SystemMemory.hugePageByteCount
        unsafe SystemMemory.adviseHugePages(window, byteCount)
        var probed = huge
        var isSlow = unsafe populate(window, huge) > Self.slowNanoseconds
        if isSlow && !wasSlow && byteCount > huge {
            isSlow = unsafe populate(window + huge, huge) > Self.slowNanoseconds
            probed += huge
        }
        wasSlow = isSlow
        if isSlow && byteCount > probed { unsafe SystemMemory.adviseSmallPages(window + probed, byteCount - probed) }
        if isSlow { smallWindows += 1 } else { hugeWindows += 1 }
    }
}

extension EngineState {
    /// Decides about the windows of a slab up to a granule that is about to be used.
    mutating func adviseHugePages(slab place: Int, upTo end: Int) {
        guard configuration.hugePages == .automatic else { return }
        while heap.slabs[place].advisedEnd < min(end, heap.slabs[place].granules.upperBound) {
            let window = unsafe heap.nextUnadvisedWindow(ofSlab: place, byteCount: HugePageAdvice.windowByteCount)
            unsafe hugePages.advise(window.address, window.byteCount)
        }
    }
}
