/// Says whether a plan is valid: no two items that are alive at the same time share a byte.
///
/// Shares nothing with the planners, so that a mistake there shows here. A sweep over time keeps the address ranges in
/// use in order; each item that begins is compared with its two neighbours.
public enum PlanChecker {
    /// What is wrong with a plan. Items are counted from 0.
    public enum Violation: Error, Equatable, Sendable {
        /// There are not as many offsets as items.
        case wrongCount(offsets: Int, items: Int)
        /// An offset below zero, or so high that the item's end overflows.
        case invalidOffset(item: Int, offset: Int)
        /// An offset that is no multiple of the alignment.
        case misaligned(item: Int, offset: Int, alignment: Int)
        /// Two items that are alive together and share bytes; `first` begins no later than `second`.
        case overlap(first: Int, second: Int)
        /// An item that ends above the capacity.
        case aboveCapacity(item: Int, end: Int, capacity: Int)
    }

    /// Checks a plan, and returns how many bytes it needs.
    ///
    /// - Parameters:
    ///   - offsets: One for each item of the problem, in its order.
    ///   - alignment: What every offset must be a multiple of, at least 1.
    ///   - capacity: What no item may end above; nil for no such bound.
    /// - Complexity: O(n log n) comparisons, and at most O(n) moves of ranges an item.
    /// - Throws: the first ``Violation`` that is found.
    @discardableResult
    public static func check(
        _ problem: PlanningProblem, offsets: [Int], alignment: Int = 1, capacity: Int? = nil
    ) throws(Violation) -> Int {
        let items = problem.items
        guard offsets.count == items.count else { throw .wrongCount(offsets: offsets.count, items: items.count) }
        var highest = 0
        for (index, item) in items.enumerated() {
            let (end, overflow) = offsets[index].addingReportingOverflow(item.byteCount)
            guard offsets[index] >= 0, !overflow else { throw .invalidOffset(item: index, offset: offsets[index]) }
            guard offsets[index] % max(1, alignment) == 0 else {
                throw .misaligned(item: index, offset: offsets[index], alignment: alignment)
            }
            if let capacity, end > capacity { throw .aboveCapacity(item: index, end: end, capacity: capacity) }
            highest = max(highest, end)
        }
        try sweep(items, offsets)
        return highest
    }

    private static func sweep(_ items: [PlanningProblem.Item], _ offsets: [Int]) throws(Violation) {
        let births = items.indices.sorted { items[$0].lower < items[$1].lower }
        let deaths = items.indices.sorted { items[$0].upper < items[$1].upper }
        // The items in use by offset. No two of them overlap, so their offsets differ.
        var inUse: [Int] = []
        func place(_ offset: Int) -> Int {
            var low = 0
            var high = inUse.count
            while low < high {
                let middle = (low + high) / 2
                if offsets[inUse[middle]] < offset { low = middle + 1 } else { high = middle }
            }
            return low
        }
        var dead = 0
        for item in births {
            while items[deaths[dead]].upper <= items[item].lower {
                inUse.remove(at: place(offsets[deaths[dead]]))
                dead += 1
            }
            let place = place(offsets[item])
            if place > 0 {
                let below = inUse[place - 1]
                if offsets[below] + items[below].byteCount > offsets[item] {
                    throw .overlap(first: below, second: item)
                }
            }
            if place < inUse.count, offsets[item] + items[item].byteCount > offsets[inUse[place]] {
                throw .overlap(first: inUse[place], second: item)
            }
            inUse.insert(item, at: place)
        }
    }
}

extension PlanChecker.Violation: CustomStringConvertible {
    /// What is wrong, with the items and values involved.
    public var description: String {
        switch self {
        case .wrongCount(let offsets, let items): "the plan has \(offsets) offsets for \(items) items"
        case .invalidOffset(let item, let offset): "item \(item) has offset \(offset), which no slab has room for"
        case .misaligned(let item, let offset, let alignment):
            "item \(item) has offset \(offset), no multiple of \(alignment)"
        case .overlap(let first, let second): "items \(first) and \(second) are alive together and share bytes"
        case .aboveCapacity(let item, let end, let capacity):
            "item \(item) ends at \(end), above the capacity of \(capacity)"
        }
    }
}
