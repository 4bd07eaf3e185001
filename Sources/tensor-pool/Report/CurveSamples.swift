import AllocationTrace

/// Where a curve over a trace has its points.
enum CurveSamples {
    private static let intervals = 300

    /// How many events come before each point, from 0 to all of them: the ends of even intervals, and in each of them
    /// the moment at which the most bytes are alive. So no curve of live bytes leaves out a peak.
    static func events(of trace: AllocationTrace) -> [Int] {
        let total = trace.events.count
        var points = [0]
        var live = 0
        for interval in 0..<intervals {
            let start = total * interval / intervals
            let end = total * (interval + 1) / intervals
            guard start < end else { continue }
            var most = (live: Int.min, count: end)
            for index in start..<end {
                let event = trace.events[index]
                live += event.kind == .allocate ? event.byteCount : -event.byteCount
                if live > most.live { most = (live, index + 1) }
            }
            if most.count < end { points.append(most.count) }
            points.append(end)
        }
        return points
    }
}
