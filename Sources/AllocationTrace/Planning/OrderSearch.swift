/// A local search over the orders in which a part's items are placed, each at the lowest gap.
///
/// Each step takes an item that ends above the goal and moves it forward in the order, before one that lies in its way
/// (squeaky wheel optimization; Joslin and Clements 1999). The new order stays unless more bytes end above the goal. A
/// step places anew only the items whose place can have changed, which are few: most of a trace does not know of the
/// rest.
struct OrderSearch {
    /// As many steps without any gain end a search that has not taken more before its last one.
    private static let fewestStepsWithoutGain = 20_000

    private let part: PlanningPart
    private let graph: OverlapGraph
    private let goal: Int
    private var random: SplitMix
    /// An item sees those alive with it that have a lower key, or the same key and a lower number.
    private var keys: [Double]
    /// What ends above the goal, by item, summed.
    private var excess = 0
    private var isWaiting: [Bool]
    private var waiting: Heap
    private var changes: [(item: Int, offset: Int)] = []
    private var gaps = GapFinder()
    /// Where each item lies now, in units.
    private(set) var offsets: [Int]

    /// - Parameters:
    ///   - order: where the search starts.
    ///   - offsets: what placing in this order, each at the lowest gap, gives.
    init(_ part: PlanningPart, graph: OverlapGraph, order: [Int], offsets: [Int], goal: Int, seed: UInt64) {
        self.part = part
        self.graph = graph
        self.goal = goal
        self.offsets = offsets
        random = SplitMix(seed: seed)
        keys = [Double](repeating: 0, count: order.count)
        for (place, item) in order.enumerated() { keys[item] = Double(place) }
        isWaiting = [Bool](repeating: false, count: order.count)
        waiting = Heap()
        for item in offsets.indices { excess += height(item, above: goal) }
    }

    /// The height of the plan in units.
    var peak: Int { offsets.indices.reduce(0) { max($0, offsets[$1] + part.sizes[$1]) } }

    /// Goes on until nothing ends above the goal, until it has gained nothing for half of its steps, or until `stop` says
    /// so, asked at each step.
    mutating func run(stop: () -> Bool) {
        var high = offsets.indices.filter { height($0, above: goal) > 0 }
        var (steps, stepsAtGain, least) = (0, 0, excess)
        while excess > 0 && !stop() {
            steps += 1
            if excess < least { (stepsAtGain, least) = (steps, excess) }
            if steps - stepsAtGain > max(Self.fewestStepsWithoutGain, stepsAtGain) { return }
            // What a step changed may be high now, and what was high may be so no more.
            high.removeAll { height($0, above: goal) == 0 }
            guard let item = high.randomElement(using: &random) else { return }
            if tryMovingForward(item) {
                high.append(contentsOf: changes.map(\.item).filter { height($0, above: goal) > 0 })
            }
        }
    }

    /// Whether the step was taken. `changes` then holds the items that lie elsewhere now.
    private mutating func tryMovingForward(_ item: Int) -> Bool {
        let before = graph.range(of: item).map { graph.neighbour($0) }.filter { precedes($0, item) }
        guard let other = before.randomElement(using: &random) else {
            // First already. What lies around it takes another turn.
            return trySwapping(item, Int.random(in: 0..<keys.count, using: &random))
        }
        if Int.random(in: 0..<3, using: &random) == 0 { return trySwapping(item, other) }
        return attempt([(item, keys[other].nextDown)])
    }

    private mutating func trySwapping(_ first: Int, _ second: Int) -> Bool {
        attempt([(first, keys[second]), (second, keys[first])])
    }

    /// Gives items new keys and places anew what that concerns; takes all back where more ends above the goal.
    private mutating func attempt(_ moves: [(item: Int, key: Double)]) -> Bool {
        changes.removeAll(keepingCapacity: true)
        let excessBefore = excess
        let old = moves.map { keys[$0.item] }
        for (move, oldKey) in zip(moves, old) {
            let earliest = min(oldKey, move.key)
            keys[move.item] = move.key
            wait(move.item)
            for index in graph.range(of: move.item) where keys[graph.neighbour(index)] >= earliest {
                wait(graph.neighbour(index))
            }
        }
        while let item = waiting.popLowest() {
            isWaiting[item] = false
            place(item)
        }
        if excess <= excessBefore { return true }
        for change in changes.reversed() { offsets[change.item] = change.offset }
        for (move, oldKey) in zip(moves, old) { keys[move.item] = oldKey }
        excess = excessBefore
        return false
    }

    private mutating func place(_ item: Int) {
        gaps.reset()
        for index in graph.range(of: item) {
            let other = graph.neighbour(index)
            if precedes(other, item) { gaps.add(offsets[other], size: part.sizes[other]) }
        }
        let offset = gaps.gap(for: part.sizes[item], fit: .lowest)
        guard offset != offsets[item] else { return }
        changes.append((item, offsets[item]))
        excess -= height(item, above: goal)
        offsets[item] = offset
        excess += height(item, above: goal)
        for index in graph.range(of: item) where precedes(item, graph.neighbour(index)) { wait(graph.neighbour(index)) }
    }

    private mutating func wait(_ item: Int) {
        guard !isWaiting[item] else { return }
        isWaiting[item] = true
        waiting.insert(item, key: keys[item])
    }

    private func precedes(_ first: Int, _ second: Int) -> Bool {
        keys[first] != keys[second] ? keys[first] < keys[second] : first < second
    }

    private func height(_ item: Int, above goal: Int) -> Int { max(0, offsets[item] + part.sizes[item] - goal) }
}

/// Items by key, the lowest first; of the same key, the one with the lowest number.
private struct Heap {
    private var entries: [(key: Double, item: Int)] = []

    mutating func insert(_ item: Int, key: Double) {
        entries.append((key, item))
        var place = entries.count - 1
        while place > 0, entries[place] < entries[(place - 1) / 2] {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func popLowest() -> Int? {
        guard let lowest = entries.first else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var place = 0
        while 2 * place + 1 < entries.count {
            var child = 2 * place + 1
            if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
            if entries[place] < entries[child] { break }
            entries.swapAt(place, child)
            place = child
        }
        return lowest.item
    }
}
