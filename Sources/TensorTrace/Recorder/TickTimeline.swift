/// Tells the times of ticks from moments at which both are known, *anchors*: between two of them along a line.
///
/// An anchor is taken at every flush, after it is known up to where each ring is filled, so what is drained then lies before
/// it. The line through all anchors never falls and is the same for all threads: what happened before something else
/// is never told to be after it.
struct TickTimeline {
    /// The counter and the clock at one moment.
    struct Anchor: Equatable {
        let ticks: UInt64
        /// Nanoseconds of the monotonic clock.
        let time: Int64
    }

    /// An event is older than that many flushes only where its thread was stopped between reading the counter and
    /// writing it down. Its time is then told from the oldest two.
    static let maximumAnchors = 256

    /// At least one, rising.
    private var anchors: [Anchor]
    /// Of the line that ends at the anchor after `segment`.
    private var nanosecondsPerTick = 0.0
    private var segment = 0
    /// Where a counter that stepped back began anew: nothing before it is told to be later.
    private var earliest = Int64.min

    init(start: Anchor) { anchors = [start] }

    mutating func add(_ anchor: Anchor) {
        guard let last = anchors.last, anchor.ticks != last.ticks else { return }
        if anchor.ticks > last.ticks {
            anchors.append(Anchor(ticks: anchor.ticks, time: max(last.time, anchor.time)))
            if anchors.count > Self.maximumAnchors { anchors.removeFirst() }
            select(anchors.count - 2)
        } else {
            // A machine that slept may count from 0. The rate is the same.
            anchors = [Anchor(ticks: anchor.ticks, time: max(last.time, anchor.time))]
            segment = 0
            earliest = last.time
        }
    }

    /// Nanoseconds of the monotonic clock. Ticks behind the last anchor get its time.
    mutating func time(at ticks: UInt64) -> Int64 {
        if anchors.count > 1, ticks < anchors[segment].ticks || ticks > anchors[segment + 1].ticks {
            // The last anchor at or before the ticks.
            var low = 0
            var high = anchors.count - 1
            while high - low > 1 {
                let middle = (low + high) / 2
                if anchors[middle].ticks <= ticks { low = middle } else { high = middle }
            }
            select(low)
        }
        let start = anchors[segment]
        if ticks < start.ticks {
            return max(earliest, start.time - nanoseconds(start.ticks - ticks))
        }
        guard anchors.count > 1 else { return start.time }
        // Rounding may pass the line's end.
        return min(anchors[segment + 1].time, start.time + nanoseconds(ticks - start.ticks))
    }

    /// At most 31 years, so that no sum overflows.
    private func nanoseconds(_ ticks: UInt64) -> Int64 { Int64(min(1e18, nanosecondsPerTick * Double(ticks))) }

    private mutating func select(_ index: Int) {
        segment = index
        let (start, end) = (anchors[index], anchors[index + 1])
        nanosecondsPerTick = Double(end.time - start.time) / Double(end.ticks - start.ticks)
    }
}
