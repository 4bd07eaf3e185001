/// How much of a trace each allocator replays, and how often.
///
/// The whole where there is time for it, if only once after part of it as a warm-up: no sample tells as much.
struct ReplayEffort: Equatable {
    /// As `tensor-pool replay` does where nothing else is said.
    static let usualRounds = 10

    /// Events of a round; the whole trace has no more.
    let eventCount: Int
    var rounds: Int
    /// Processor time of a warm-up before them, for what has not the time for a whole round as that.
    var warmUpNanoseconds: Int?
}

extension ReplayEffort {
    /// How many rounds there have to be. Part of a round is a warm-up before them.
    struct Rounds {
        /// Of a pool of this package, which learns which sizes come back.
        let own: Double
        /// Of another allocator.
        let peer: Double

        /// As many as `tensor-pool replay` does.
        static let usual = Rounds(own: Double(usualRounds), peer: Double(usualRounds))
        /// As few as it does where they are slow: glibc's malloc and jemalloc settle in some three rounds.
        static let settled = Rounds(own: Double(usualRounds), peer: 5)
        /// Where rounds are slower still they differ less: once, after a quarter of it, since most of what a first round
        /// has more is at its beginning.
        static let once = Rounds(own: 5, peer: 1.25)
        /// Of a sample: longer ones tell more than rounds.
        static let sample = Rounds(own: 5, peer: 2)
    }

    /// What a first look told of allocators that replay the same events, in processor time.
    struct Cost {
        /// A process reads the binary trace, and the system's malloc needs two: about so many nanoseconds an event.
        private static let readingNanoseconds = 500.0
        /// A round that is shorter is repeated for so long: what else the machine does comes and goes within that.
        private static let shortNanoseconds = 0.1e9
        private static let mostShortRounds = 1000.0

        /// Nanoseconds an event, of all of them together.
        let nanosecondsPerEvent: Double
        /// Nanoseconds that a process takes beside its events, the first round's extra included, of all together.
        let nanosecondsPerProcess: Double
        /// How many allocators they are.
        let allocators: Int
        /// Whether they are pools of this package.
        let isOwn: Bool

        /// More rounds tell nothing more.
        fileprivate func mostRounds(eventCount: Int) -> Double {
            let round = max(1, nanosecondsPerEvent * Double(eventCount) / Double(allocators))
            return min(max(Double(ReplayEffort.usualRounds), Self.shortNanoseconds / round), Self.mostShortRounds)
        }

        fileprivate func least(_ rounds: Rounds) -> Double { isOwn ? rounds.own : rounds.peer }

        fileprivate func nanosecondsPerEvent(rounds: Double) -> Double {
            nanosecondsPerEvent * rounds + Self.readingNanoseconds
        }

        fileprivate func rounds(in nanoseconds: Double, eventCount: Int) -> Double {
            (nanoseconds / Double(max(1, eventCount)) - Self.readingNanoseconds) / max(nanosecondsPerEvent, 1e-3)
        }

        fileprivate func whole(rounds: Double, eventCount: Int) -> ReplayEffort {
            guard rounds < 2 else { return ReplayEffort(eventCount: eventCount, rounds: Int(rounds)) }
            let warmUp = max(0, rounds - 1) * nanosecondsPerEvent * Double(eventCount) / Double(allocators)
            return ReplayEffort(eventCount: eventCount, rounds: 1, warmUpNanoseconds: Int(max(1, min(warmUp, 1e15))))
        }
    }

    /// Has each replay the whole trace; nil where there is no time for that.
    /// - Parameters:
    ///   - costs: of allocators, or groups of them.
    ///   - nanoseconds: what there is for one process of each.
    ///   - rounds: the fewest.
    ///   - isFilled: whether there are more rounds where there is time for them.
    static func whole(
        _ nanoseconds: Double, among costs: [Cost], eventCount: Int, rounds: Rounds, isFilled: Bool
    ) -> [ReplayEffort]? {
        let events = Double(eventCount)
        let least = costs.reduce(0) {
            $0 + $1.nanosecondsPerProcess + $1.nanosecondsPerEvent(rounds: $1.least(rounds)) * events
        }
        guard least <= nanoseconds else { return nil }
        func more(_ cost: Cost) -> Double { max(0, cost.mostRounds(eventCount: eventCount) - cost.least(rounds)) }
        let enough = costs.reduce(0) { $0 + $1.nanosecondsPerEvent * more($1) * events }
        let share = !isFilled ? 0 : enough > 0 ? min(1, (nanoseconds - least) / enough) : 1
        return costs.map { $0.whole(rounds: $0.least(rounds) + share * more($0), eventCount: eventCount) }
    }

    /// Less is no sample of anything.
    private static let leastEvents = 512
    /// So little more time is worth it to replay the whole.
    private static let worthwhile = 1.15

    /// Shares the time out where there is none for the whole, so that it tells most.
    ///
    /// What a sample leaves unknown falls with the square root of its events. So an allocator gets of the time by the
    /// square root of what one event takes (Neyman's allocation): a slow one more time, and still fewer events.
    /// - Parameters:
    ///   - nanoseconds: what there is for one process of each.
    ///   - maximumEvents: nobody gets more.
    static func share(
        _ nanoseconds: Double, among costs: [Cost], eventCount: Int, maximumEvents: Int
    ) -> [ReplayEffort] {
        let most = min(eventCount, maximumEvents)
        let weights = costs.map { $0.nanosecondsPerEvent(rounds: $0.least(.sample)).squareRoot() }
        let enough = costs.map { $0.nanosecondsPerEvent(rounds: $0.mostRounds(eventCount: most)) * Double(most) }
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
        return zip(costs, times).map { cost, time in
            let wholeRounds = cost.least(.once)
            let rounds = min(cost.rounds(in: time, eventCount: most), cost.mostRounds(eventCount: most))
            guard rounds * worthwhile < wholeRounds else {
                return cost.whole(rounds: max(rounds, wholeRounds), eventCount: most)
            }
            let events = time / cost.nanosecondsPerEvent(rounds: cost.least(.sample))
            let least = Double(min(leastEvents, most))
            return ReplayEffort(
                eventCount: Int(min(max(events, least), Double(most))), rounds: Int(cost.least(.sample)))
        }
    }
}
