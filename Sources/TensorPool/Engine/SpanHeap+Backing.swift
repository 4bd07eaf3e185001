/// Which free granules have memory: prewarming, giving back, figures.
extension SpanHeap {
    /// Bytes of what describes granules and slabs: for granules, as far as there were any in use.
    var metadataByteCount: Int {
        FreeRuns.byteCount(ofGranules: backedGranules) + 2 * backed.wordCount * 8 + slabs.byteCount
    }

    /// The next part of a slab about whose pages the kernel was not told; from here on it counts as told.
    mutating func nextUnadvisedWindow(ofSlab place: Int, byteCount: Int)
        -> (address: UnsafeMutableRawPointer, byteCount: Int)
    {
        let start = slabs[place].advisedEnd
        let end = min(slabs[place].granules.upperBound, start + byteCount >> Granule.shift)
        setAdvised(slab: place, end)
        return unsafe (address(of: start), (end - start) << Granule.shift)
    }

    /// Free granules that are backed and known to be zero: prewarmed and not used yet.
    var prewarmedGranules: Int {
        var count = 0
        for run in free.sortedRuns() {
            for part in backed.runs(in: run, contained: true) { count += zero.count(in: part) }
        }
        return count
    }

    /// Prewarms: backs up to `count` unbacked granules, lowest first, in whole runs that `populate` makes resident.
    /// Returns how many were backed.
    mutating func back(upTo count: Int, populate: (UnsafeMutableRawPointer, Int) -> Void) -> Int {
        var done = 0
        for run in free.sortedRuns() {
            var rest = run
            while done < count, let unbacked = backed.firstRun(in: rest, contained: false) {
                let part = unbacked.lowerBound..<unbacked.lowerBound + min(unbacked.count, count - done)
                unsafe populate(address(of: part.lowerBound), part.count << Granule.shift)
                setBacked(part)
                done += part.count
                rest = part.upperBound..<run.upperBound
            }
        }
        return done
    }

    private static let hugePageGranules = SystemMemory.hugePageByteCount >> Granule.shift

    /// Gives the pages of free backed granules back to the system through `release`, highest addresses first, until at
    /// least `count` are released. Returns how many were.
    mutating func releaseFree(atLeast count: Int, release: (UnsafeMutableRawPointer, Int) -> Bool) -> Int {
        let count = min(count, backedGranules)
        var released = 0
        for run in free.sortedRuns().reversed() {
            for part in backed.runs(in: run, contained: true).reversed() where released < count {
                // Whole huge pages, and no more of them than were asked for: the upper end of the run.
                let missing = (count - released + Self.hugePageGranules - 1) & -Self.hugePageGranules
                let part = max(part.lowerBound, part.upperBound - max(missing, 0))..<part.upperBound
                if unsafe release(address(of: part.lowerBound), part.count << Granule.shift) {
                    setUnbacked(part)
                    released += part.count
                }
            }
        }
        return released
    }
}
