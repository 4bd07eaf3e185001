/// Finds the period of a sequence of symbols: the length of a step that repeats.
///
/// Candidates are the distances at which runs of 1, 4, 16, 64 and 256 symbols come back. A candidate is tried by walking
/// the sequence and comparing each symbol with the one a lag before, where the lag may shift by up to an eighth of the period to
/// get over symbols that were put in or left out, and comes back to the period itself where that matches again: else it
/// would stay a layer off, where layers are alike. Two shares decide: of all symbols that match, and of the symbols that
/// match averaged over the different symbols, so that what comes once a step weighs as much as what comes once a layer.
/// Where a layer repeats within a step, only the step explains both. Linear in time.
struct StepFinder {
    struct Period: Equatable {
        /// In symbols.
        let length: Int
        /// The share of symbols that are what they were a step before, above what chance would give: 0 to 1.
        let matchShare: Double
    }

    /// Below this a sequence has no step.
    static let minimumShare = 0.5
    /// A step must be seen this often.
    static let minimumSteps = 3
    /// A longer step is worth it only where it explains this much more.
    private static let worthwhile = 0.05
    private static let candidatesPerRun = 6
    private static let runs = [1, 4, 16, 64, 256]
    private static let resyncRun = 8

    let symbols: [Int32]
    private let counts: [Int]

    /// - Parameter symbols: numbers from 0, dense.
    init(_ symbols: [Int32]) {
        self.symbols = symbols
        var counts = [Int](repeating: 0, count: Int(symbols.max() ?? -1) + 1)
        for symbol in symbols { counts[Int(symbol)] += 1 }
        self.counts = counts
    }

    /// Nil where nothing repeats, or everything does at every distance.
    /// - Parameter minimumLength: where already fewer symbols repeat, there is no step: a size that is allocated and
    ///   freed, over and over.
    func find(minimumLength: Int = 2) -> Period? {
        guard symbols.count >= 2 * Self.minimumSteps else { return nil }
        let chance = counts.reduce(0) { $0 + Double($1) * Double($1) } / Double(symbols.count) / Double(symbols.count)
        guard chance < 0.99 else { return nil }
        let tried = candidates().map { ($0, score(period: $0)) }
        let good = tried.filter { ($0.1.plain - chance) / (1 - chance) >= Self.minimumShare }
        guard let best = good.map({ $0.1.sum }).max(),
            let shortest = good.filter({ $0.1.sum >= best * (1 - Self.worthwhile) }).min(by: { $0.0 < $1.0 })
        else { return nil }
        guard shortest.0 >= minimumLength else { return nil }
        // Of nearly equal lengths, which shifts of the lag make nearly equally good, the best.
        let near = good.filter { abs($0.0 - shortest.0) <= Self.play(shortest.0) }
        let chosen = near.max { $0.1.sumUnshifted < $1.1.sumUnshifted } ?? shortest
        return Period(length: chosen.0, matchShare: min(1, max(0, (chosen.1.plain - chance) / (1 - chance))))
    }

    /// Distances at which runs of symbols come back most often.
    private func candidates() -> [Int] {
        let longest = symbols.count / Self.minimumSteps
        var found: Set<Int> = []
        for run in Self.runs where run < symbols.count {
            var votes: [Int: Int] = [:]
            var last: [UInt64: Int] = [:]
            var hash = RollingHash(length: run)
            for index in symbols.indices {
                hash.append(symbols[index], dropping: index >= run ? symbols[index - run] : nil)
                guard index >= run - 1 else { continue }
                if let earlier = last.updateValue(index, forKey: hash.value), index - earlier <= longest {
                    votes[index - earlier, default: 0] += 1
                }
            }
            let most = votes.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(Self.candidatesPerRun)
            found.formUnion(most.map(\.key))
        }
        return found.sorted()
    }

    private struct Score {
        /// The share of symbols that match.
        let plain: Double
        /// The same averaged over the different symbols.
        let bySymbol: Double
        /// The share of symbols that match at the period itself.
        let unshifted: Double

        var sum: Double { plain + bySymbol }
        /// For what is alike but for the shifts.
        var sumUnshifted: Double { sum + unshifted / 16 }
    }

    private func score(period: Int) -> Score {
        var compared = [UInt32](repeating: 0, count: counts.count)
        var matched = compared
        var unshifted = 0
        walk(period: period) { index, lag in
            let symbol = Int(symbols[index])
            compared[symbol] += 1
            if symbols[index - lag] == symbols[index] {
                matched[symbol] += 1
                if lag == period { unshifted += 1 }
            }
        }
        var all = (compared: 0, matched: 0)
        var shares = (sum: 0.0, count: 0)
        for symbol in counts.indices where compared[symbol] > 0 {
            all.compared += Int(compared[symbol])
            all.matched += Int(matched[symbol])
            // What came twice at most says nothing about a step that is seen three times.
            guard counts[symbol] >= Self.minimumSteps else { continue }
            shares.sum += Double(matched[symbol]) / Double(compared[symbol])
            shares.count += 1
        }
        return Score(
            plain: all.compared > 0 ? Double(all.matched) / Double(all.compared) : 0,
            bySymbol: shares.count > 0 ? shares.sum / Double(shares.count) : 0,
            unshifted: all.compared > 0 ? Double(unshifted) / Double(all.compared) : 0)
    }

    /// How far the lag may shift.
    private static func play(_ period: Int) -> Int { max(1, period / 8) }

    /// Visits each symbol after the first period with the lag at which it is to be compared.
    func walk(period: Int, visit: (_ index: Int, _ lag: Int) -> Void) {
        guard period < symbols.count else { return }
        let play = Self.play(period)
        var lag = period
        for index in period..<symbols.count {
            if lag > index || symbols[index - lag] != symbols[index] {
                let lags = max(1, period - play)...(period + play)
                lag = resynchronized(at: index, lag: lag, period: period, within: lags) ?? lag
            }
            if lag <= index { visit(index, lag) }
        }
    }

    /// The period, or else the nearest lag, from which a run of symbols matches; nil where none does.
    private func resynchronized(at index: Int, lag: Int, period: Int, within lags: ClosedRange<Int>) -> Int? {
        guard index + Self.resyncRun <= symbols.count else { return nil }
        if lag != period && matchesRun(at: index, lag: period) { return period }
        for shift in 1...8 {
            for candidate in [lag - shift, lag + shift]
            where lags.contains(candidate) && matchesRun(at: index, lag: candidate) { return candidate }
        }
        return nil
    }

    private func matchesRun(at index: Int, lag: Int) -> Bool {
        guard lag <= index else { return false }
        for place in index..<index + Self.resyncRun where symbols[place] != symbols[place - lag] { return false }
        return true
    }

    /// Where each step begins, for a step that begins at `first`.
    func boundaries(period: Int, first: Int) -> [Int] {
        var found = [first]
        var next = first + period
        walk(period: period) { index, lag in
            guard index >= next, index - lag >= found[found.count - 1] else { return }
            found.append(index)
            next = index + period - Self.play(period)
        }
        return found
    }
}

/// A polynomial hash of the latest symbols, modulo 2^64.
private struct RollingHash {
    private static let base: UInt64 = 0x9e37_79b9_7f4a_7c15
    private let weight: UInt64
    private(set) var value: UInt64 = 0

    init(length: Int) {
        weight = (0..<length).reduce(1) { product, _ in product &* Self.base }
    }

    mutating func append(_ symbol: Int32, dropping oldest: Int32?) {
        value = value &* Self.base &+ Self.mixed(symbol)
        if let oldest { value &-= weight &* Self.mixed(oldest) }
    }

    private static func mixed(_ symbol: Int32) -> UInt64 {
        var mixed = UInt64(UInt32(bitPattern: symbol)) &+ base
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        return mixed ^ (mixed >> 27)
    }
}
