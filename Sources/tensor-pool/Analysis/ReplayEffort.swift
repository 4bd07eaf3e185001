import Foundation

/// How much of a trace each allocator replays, and how often: shared out so that the time there is tells most.
///
/// What a sample leaves unknown falls with the square root of its events. So where time is short, an allocator gets of it by
/// the square root of what one event takes (Neyman's allocation): a slow one more time, and still fewer events.
struct ReplayEffort: Equatable {
    /// What a first look told of allocators that replay the same events, in processor time.
    struct Cost {
        /// Nanoseconds an event, of all of them together.
        let nanosecondsPerEvent: Double
        /// Nanoseconds that a process takes beside its events, the first round's extra included, of all together.
        let nanosecondsPerProcess: Double
        /// Rounds that there have to be.
        let leastRounds: Int
    }

    /// As `tensor-pool replay` does where nothing else is said.
    static let mostRounds = 10
    /// A process reads the binary trace, and the system's malloc needs two: about so many nanoseconds an event.
    private static let readingNanoseconds = 500.0
    /// Less is no sample of anything.
    private static let leastEvents = 512
    /// So little more time is worth it to replay the whole.
    private static let worthwhile = 1.25

    /// Events of a round; the whole trace has no more.
    let eventCount: Int
    let rounds: Int

    /// - Parameters:
    ///   - costs: of allocators, or groups of them.
    ///   - nanoseconds: what there is for one process of each.
    static func share(
        _ nanoseconds: Double, among costs: [Cost], eventCount: Int, maximumEvents: Int
    ) -> [ReplayEffort] {
        let most = min(eventCount, maximumEvents)
        func perEvent(_ cost: Cost, rounds: Int) -> Double {
            cost.nanosecondsPerEvent * Double(rounds) + readingNanoseconds
        }
        let weights = costs.map { perEvent($0, rounds: $0.leastRounds).squareRoot() }
        let enough = costs.map { perEvent($0, rounds: mostRounds) * Double(most) }
        var left = max(0, nanoseconds - costs.reduce(0) { $0 + $1.nanosecondsPerProcess })
        var times = [Double](repeating: 0, count: costs.count)
        // Those that need less than their share leave the rest to the others.
        var open = Array(costs.indices)
        while !open.isEmpty {
            let unit = left / open.reduce(0) { $0 + weights[$1] }
            let content = open.filter { enough[$0] <= unit * weights[$0] }
            guard !content.isEmpty else {
                for index in open { times[index] = unit * weights[index] }
                break
            }
            for index in content {
                times[index] = enough[index]
                left -= enough[index]
            }
            open.removeAll(where: content.contains)
        }
        return costs.indices.map { index in
            let cost = costs[index]
            let whole = perEvent(cost, rounds: cost.leastRounds) * Double(most)
            guard whole > times[index] * worthwhile else {
                let rounds = (times[index] / Double(most) - readingNanoseconds) / max(cost.nanosecondsPerEvent, 1e-3)
                return ReplayEffort(
                    eventCount: most, rounds: Int(min(max(rounds, Double(cost.leastRounds)), Double(mostRounds))))
            }
            let events = times[index] / perEvent(cost, rounds: cost.leastRounds)
            let least = Double(min(leastEvents, most))
            return ReplayEffort(eventCount: Int(min(max(events, least), Double(most))), rounds: cost.leastRounds)
        }
    }
}
