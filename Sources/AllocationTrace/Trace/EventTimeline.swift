/// Turns recorded times into a timeline that starts at 0 and never falls.
struct EventTimeline {
    /// Smaller steps back are taken for the jitter of threads that write to one log.
    private static let largestJitter: Int64 = 1_000_000_000

    /// The first recorded time, nil before it.
    private(set) var start: Int64?
    private(set) var steps = 0
    private var last: Int64 = 0
    /// What is added to recorded times since the clock was set back.
    private var correction: Int64 = 0

    /// The event's time on the timeline; without a recorded time, its predecessor's.
    mutating func place(_ recorded: Int64?) -> Int64 {
        guard let recorded else { return last }
        guard let start else {
            self.start = recorded
            return 0
        }
        // A distance that does not fit is 292 years: what is between such times does not matter, staying in range does.
        let (elapsed, overflow) = recorded.subtractingReportingOverflow(start)
        let (time, correctionOverflow) = elapsed.addingReportingOverflow(correction)
        guard !overflow, !correctionOverflow else {
            steps += 1
            return last
        }
        if time < last {
            steps += 1
            let (step, stepOverflow) = last.subtractingReportingOverflow(time)
            if stepOverflow || step >= Self.largestJitter {
                let (moved, movedOverflow) = last.subtractingReportingOverflow(elapsed)
                correction = movedOverflow ? correction : moved
            }
            return last
        }
        last = time
        return time
    }
}
