import AllocationTrace

/// An allocator in a comparison of pairs: its name, and a measurement that is specialised for it.
struct PairCandidate {
    let name: String
    /// Takes one sample: with the given number of pairs, or with as many as the budget has room for.
    let measure: (_ pair: PairMeasurement, _ iterations: Int?, _ budget: Duration) throws -> PairSample
}

/// Compares what pairs cost in several allocators, so that the outcome does not depend on the order.
///
/// Every round measures every case on every candidate, and each time another candidate goes first. How many pairs a
/// sample takes is found in the first round and kept.
struct PairComparison {
    /// The guide's sizes, in bytes.
    static let sizes = [1, 4, 16, 32, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10].map { $0 << 10 }

    struct Row: Codable, Equatable {
        let candidate: String
        let pair: PairMeasurement
        /// Nanoseconds a pair in each round, in order: those of one round were taken close together.
        let samples: [Double]
        /// Nanoseconds a pair, over the rounds.
        let nanoseconds: RoundStatistics
    }

    let candidates: [PairCandidate]
    let pairs: [PairMeasurement]
    /// Above 0.
    let rounds: Int
    /// About how long one sample takes.
    let budget: Duration

    /// The rows in the order of pairs, then of candidates.
    /// - Parameter report: told after each sample how many of how many are taken.
    func run(afterEach report: (_ samplesTaken: Int, _ samples: Int) -> Void = { _, _ in }) throws -> [Row] {
        precondition(rounds > 0, "a comparison takes at least one round")
        let cellCount = pairs.count * candidates.count
        var samples = [[PairSample]](repeating: [], count: cellCount)
        var taken = 0
        for round in 0..<rounds {
            for (pairIndex, pair) in pairs.enumerated() {
                for turn in candidates.indices {
                    let candidateIndex = (turn + round + pairIndex) % candidates.count
                    let cell = pairIndex * candidates.count + candidateIndex
                    let iterations = samples[cell].first?.iterations
                    samples[cell].append(try candidates[candidateIndex].measure(pair, iterations, budget))
                    taken += 1
                    report(taken, cellCount * rounds)
                }
            }
        }
        return samples.enumerated().compactMap { cell, samples in
            let nanoseconds = samples.map(\.nanosecondsPerPair)
            return RoundStatistics(nanoseconds).map {
                Row(
                    candidate: candidates[cell % candidates.count].name, pair: pairs[cell / candidates.count],
                    samples: nanoseconds, nanoseconds: $0)
            }
        }
    }
}

extension PairCandidate {
    /// An allocator of this process. The generic measurement is specialised here, outside all loops.
    init<Block: ReplayBlock & ~Copyable>(_ name: String, _ block: Block.Type, on source: Block.Source) {
        self.init(name: name) { pair, iterations, budget in
            try pair.measure(Block.self, on: source, iterations: iterations, budget: budget)
        }
    }

    /// jemalloc as it comes.
    static var jemalloc: PairCandidate { PairCandidate("jemalloc", JemallocBlock.self, on: ()) }

    /// The system's malloc, in its helper process.
    static func system(_ helper: SystemMallocHelper) -> PairCandidate {
        PairCandidate(name: "system") { pair, iterations, budget in
            try helper.measure(pair, iterations: iterations, budget: budget)
        }
    }
}
